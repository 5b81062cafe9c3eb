/** A sample of Prometheus' text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of a text that this service made: values of labels have no escapes but those of codes and ids, which have none. */
export function* samplesIn(text: string): Generator<Sample> {
  for (const [, name = '', labels = '', value] of text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)) {
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', each = '']) => [key, each]);
    yield { name, labels: Object.fromEntries(pairs), value: Number(value) };
  }
}
