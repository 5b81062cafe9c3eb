import { readFileSync } from 'node:fs';

/** One instruction of a Dockerfile, its line continuations joined and its variables filled in. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** The instructions from one FROM to the next. */
export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** Reads the Dockerfile dialect of this project: no heredocs, no ONBUILD, variables as `${NAME}` from ARG only. */
export function readDockerfile(path: string): Stage[] {
  const lines = readFileSync(path, 'utf8')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ');
  const args = new Map<string, string>();
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const [, name = '', raw = ''] of lines.matchAll(/^([A-Z]+)[ \t]+(.+)$/gm)) {
    const text = raw.trim().replace(/\$\{([A-Z_]+)\}/g, (whole, key: string) => args.get(key) ?? whole);
    if (name === 'ARG') {
      const [key = '', value = ''] = text.split('=');
      args.set(key, value);
    } else if (name === 'FROM') {
      const [base = '', , as = `stage ${stages.length}`] = text.split(/\s+/);
      stages.push({ name: as, base, instructions: [] });
    } else stages.at(-1)!.instructions.push({ name, text });
  }
  return stages;
}

/** `--from=build a b c` as [from, sources, target]. */
export function parseCopy(text: string): { from: string | undefined; sources: string[]; target: string } {
  const words = text.split(/\s+/);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  return { from, sources: paths.slice(0, -1), target: paths.at(-1)! };
}

/** `NAME=value OTHER=value` as an object; values without blanks. */
export const parseEnv = (text: string): Record<string, string> =>
  Object.fromEntries(text.split(/\s+/).map((pair) => pair.split('=') as [string, string]));

/** Whether a path of the build context reaches the builder: the last matching line of .dockerignore decides. */
export function isInContext(ignoreFile: string, path: string): boolean {
  let inside = true;
  for (const line of readFileSync(ignoreFile, 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const pattern = line.replace(/^!/, '');
    if (pattern === '*' || path === pattern || path.startsWith(`${pattern}/`)) inside = line.startsWith('!');
  }
  return inside;
}
