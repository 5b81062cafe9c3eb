/** A box that shares the database, the one that tells first. */
export interface Box {
  readonly id: string;
  readonly release: string;
  readonly workers: number;
  readonly leader: boolean;
  readonly uptime: string;
  readonly silent_s: number;
}

/** What a console is told each second: see `src/routes/figures.ts`. */
export interface Figures {
  readonly at: number;
  readonly samples: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
  /** Absent while there is one. */
  readonly boxes?: readonly Box[];
  readonly durations: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
