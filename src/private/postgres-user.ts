import { execFileSync, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { SetupError } from '../config.ts';

/** Who runs PostgreSQL, which refuses to be root. */
export interface PostgresUser {
  /** Owner of its files; undefined: whoever runs this process. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Program and arguments, changed so that they run as that user. */
  command(program: string, args: readonly string[]): readonly [program: string, args: readonly string[]];
  readonly ids: { readonly uid?: number; readonly gid?: number };
}

const idOf = (flag: '-u' | '-g', name: string) => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }));

/**
 * The owner of existing data, else `postgres`, else `nobody`. No user is created: that would be a lasting change
 * to the machine for a server that goes with its folder, and fails where /etc is read-only.
 */
function chooseOwner(clusterDir: string): { uid: number; gid: number } {
  const existing = statSync(clusterDir, { throwIfNoEntry: false });
  if (existing !== undefined && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid };
  for (const name of ['postgres', 'nobody']) {
    try {
      return { uid: idOf('-u', name), gid: idOf('-g', name) };
    } catch {} // no such user
  }
  throw new SetupError(
    'PostgreSQL does not run as root, and there is no user "postgres" or "nobody"; set DATABASE_URL.',
  );
}

/** Can this command line run the program and enter the data directory? */
function reaches(user: PostgresUser, program: string, dataDir: string): boolean {
  const test = '"$1" --version >/dev/null 2>&1 && test -x "$1" && cd "$2"';
  const [command, args] = user.command('/bin/sh', ['-c', test, 'sh', program, dataDir]);
  return spawnSync(command, args, { cwd: '/', stdio: 'ignore', ...user.ids }).status === 0;
}

/**
 * Another user, who may lack the right to enter the folders above the clone (/root, or a home of mode 0700). Then
 * setpriv leaves the processes one capability, to read past folder permissions; where a container does not have
 * that one, the next best. `no_setuid_fixup` is needed as access(2) otherwise judges without capabilities, and
 * PostgreSQL asks access(2) whether its own binary can be run.
 */
function candidates(owner: { uid: number; gid: number }): PostgresUser[] {
  const viaSetpriv = (capability: string): PostgresUser => ({
    owner,
    ids: {},
    command: (program, args) => [
      'setpriv',
      [
        ...['--reuid', String(owner.uid), '--regid', String(owner.gid), '--clear-groups'],
        ...['--inh-caps', `-all,+${capability}`, '--ambient-caps', `-all,+${capability}`],
        ...['--securebits', '+no_setuid_fixup', '--', program, ...args],
      ],
    ],
  });
  const plain: PostgresUser = { owner, ids: owner, command: (program, args) => [program, args] };
  return [plain, viaSetpriv('dac_read_search'), viaSetpriv('dac_override')];
}

/** Finds a way to run `program` on `dataDir`: as ourselves, or as somebody else when we are root. */
export function choosePostgresUser(program: string, dataDir: string, clusterDir: string): PostgresUser {
  if (process.getuid?.() !== 0)
    return { owner: undefined, ids: {}, command: (command, args) => [command, args] };
  const owner = chooseOwner(clusterDir);
  const user = candidates(owner).find((candidate) => reaches(candidate, program, dataDir));
  if (user !== undefined) return user;
  throw new SetupError(
    `PostgreSQL does not run as root, and user ${owner.uid} cannot reach ${dataDir} or run ${program}: ` +
      'move both to where every user may go (DATA_DIR), or set DATABASE_URL.',
  );
}
