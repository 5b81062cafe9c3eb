/**
 * What every script call must show at the gate: the sale's epoch. The script adds the run id and the replication id of
 * the Redis that it runs in; the gate holds all three. So a Redis that restarted, was emptied, is an old copy, or was put
 * in another's place behind an open connection does not let anybody in. `v1` names the layout of the sale's keys.
 */
export const fenceOf = (epoch: number): string => `v1:${epoch}`;

/** What a rebuild must show at the gate, which it has shut for everybody else. */
export const tokenOf = (epoch: number): string => `loading:v1:${epoch}`;

/** The epoch that a gate admits; undefined when the gate is shut. */
export function epochOfGate(gate: string): number | undefined {
  const epoch = /^v1:(\d+):/.exec(gate)?.[1];
  return epoch === undefined ? undefined : Number(epoch);
}

/** The epoch that a gate names, open or shut; 0 when it names none. */
export const epochNamedBy = (gate: string): number => Number(/v1:(\d{1,9}):/.exec(gate)?.[1] ?? 0);

/** 160 random bits. A proxy that makes one up, or hides it, says zeros or words. */
const isRandom = (id: string | undefined): boolean =>
  id !== undefined && /^[0-9a-f]{40}$/.test(id) && new Set(id).size > 4;

/** "run_id:master_replid" from the text of INFO; undefined when it does not name a dataset. */
function datasetOf(info: string): string | undefined {
  const [run, replid] = ['run_id', 'master_replid'].map(
    (field) => new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1],
  );
  return isRandom(run) && isRandom(replid) ? `${run}:${replid}` : undefined;
}

/** The dataset that a connection reaches now; undefined when Redis does not name it. Throws as `command` does. */
export async function readDataset(
  command: (...words: string[]) => Promise<unknown>,
): Promise<string | undefined> {
  return datasetOf(String(await command('INFO', 'server', 'replication')));
}
