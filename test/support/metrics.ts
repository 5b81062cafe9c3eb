/** Prometheus' text format, read. */
export interface Samples {
  /** `name{label="value",…}` as it stands, and its value. */
  readonly values: ReadonlyMap<string, number>;
  /** The type of each name. */
  readonly types: ReadonlyMap<string, string>;
}

/** Throws on a line that is none, and on a series that comes twice. */
export function readMetrics(text: string): Samples {
  const values = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue;
    const type = /^# TYPE (\w+) (\w+)$/.exec(line);
    const sample = /^(\w+(?:\{.*\})?) (\S+)$/.exec(line);
    if (type) types.set(type[1]!, type[2]!);
    else if (sample === null || values.has(sample[1]!)) throw new Error(`not a new sample: ${line}`);
    else values.set(sample[1]!, Number(sample[2]));
  }
  return { values, types };
}
