/** What a console is told each second: see `src/routes/figures.ts`. */
export interface Figures {
  readonly at: number;
  readonly samples: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
  readonly durations: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
