/** Plants each bug in a copy of the build, and runs the campaign against it. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLANTED, type PlantedBug } from './bugs.ts';
import { type CampaignOptions, runCampaign } from './campaign.ts';
import { ROOT } from './service.ts';

/** How many runs each fault gets to expose a bug. */
const ROUNDS_MAX = 8;

export interface PlantedResult {
  readonly name: string;
  readonly caught: boolean;
  /** What the checker said first. */
  readonly by: string;
  readonly runs: number;
}

/** The files of the build that a bug changes, by path, as they are with it. Throws when a patch does not fit exactly once. */
export function withBug({ name, patches }: PlantedBug): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of patches) {
    const parts = (texts.get(file) ?? readFileSync(join(ROOT, file), 'utf8')).split(find);
    if (parts.length !== 2) throw new Error(`${name}: "${find}" is ${parts.length - 1} times in ${file}`);
    texts.set(file, parts.join(replace));
  }
  return texts;
}

/** Copies the build, and plants the bug in the copy. */
export function plant(bug: PlantedBug): string {
  const texts = withBug(bug);
  const root = mkdtempSync(join(tmpdir(), 'flashsale-planted-'));
  for (const name of ['dist/src', 'dist/assets', 'lua', 'sql', 'package.json']) {
    cpSync(join(ROOT, name), join(root, name), { recursive: true, dereference: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  for (const [file, text] of texts) writeFileSync(join(root, file), text);
  return root;
}

/** Runs the campaign against each bug: it must fail. */
export async function runPlanted(
  options: Omit<CampaignOptions, 'faults' | 'root' | 'untilViolated'> & {
    names?: readonly string[] | undefined;
  },
): Promise<PlantedResult[]> {
  const results: PlantedResult[] = [];
  for (const bug of PLANTED) {
    if (options.names && !options.names.includes(bug.name)) continue;
    options.say(`planted: ${bug.name}`);
    results.push(await hunt(bug, options));
  }
  const caught = results.filter((result) => result.caught);
  const list = results.map(({ name, by, runs }) => `${name}: ${by || 'NOT CAUGHT'} in ${runs}`).join('; ');
  options.say(`caught: ${caught.length} of ${results.length} (${list})`);
  return results;
}

async function hunt(bug: PlantedBug, options: Omit<CampaignOptions, 'faults'>): Promise<PlantedResult> {
  const root = plant(bug);
  let runs = 0;
  try {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const found = await runCampaign({
        ...options,
        lanes: 1,
        faults: bug.faults,
        runs: 1,
        seed: options.seed + round,
        root,
        untilViolated: true,
      });
      runs += found.length;
      const violation = found.at(-1)?.violations[0];
      if (violation) return { name: bug.name, caught: true, by: violation.kind, runs };
    }
    return { name: bug.name, caught: false, by: '', runs };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
