import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerName } from './kept-server.ts';

/**
 * Reads `name pid` lines (pid 0: it is gone) until its standard input ends, which is when the primary has
 * released it or has died, by any cause. Then it stops what is still named, as the primary would have:
 * PostgreSQL is never killed before it had time to shut down.
 */
const SCRIPT = `
trap '' INT TERM HUP
redis=0 postgres=0
while read -r name pid; do
  case $name in redis) redis=$pid ;; postgres) postgres=$pid ;; esac
done
end() {
  pid=$1; shift
  [ "$pid" -gt 0 ] || return 0
  for signal; do
    kill -s "$signal" "$pid" 2>/dev/null || return 0
    kill -s CONT "$pid" 2>/dev/null
    tries=0
    while [ $tries -lt 100 ]; do
      kill -s 0 "$pid" 2>/dev/null || return 0
      sleep 0.1
      tries=$((tries + 1))
    done
  done
}
end "$redis" TERM KILL &
end "$postgres" INT QUIT KILL &
wait
`;

/** Ends the private servers when the primary dies without having stopped them. */
export interface ProcessGuard {
  /** Names the process to end, or undefined when there is none any more. */
  watch(name: ServerName, pid: number | undefined): void;
  release(): Promise<void>;
}

/** Starts the guard; a guard that is killed is replaced at once. */
export function startGuard(): ProcessGuard {
  const pids = new Map<ServerName, number>();
  let released = false;
  let guard: ChildProcess;

  const tell = (name: ServerName) => guard.stdin?.write(`${name} ${pids.get(name) ?? 0}\n`);
  const start = () => {
    // Detached: neither a Ctrl-C in the terminal nor a signal to the primary's group reaches it.
    guard = spawn('/bin/sh', ['-c', SCRIPT], {
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guard.stdin?.on('error', () => {}); // it is dead; 'exit' says so
    guard.once('error', () => {}); // no process can be made now: the next start ends what is left
    guard.once('exit', () => !released && start());
    for (const name of pids.keys()) tell(name);
  };
  start();

  return {
    watch(name, pid) {
      pids.set(name, pid ?? 0);
      tell(name);
    },
    async release() {
      released = true;
      const last = guard;
      if (last.exitCode !== null || last.signalCode !== null) return;
      const gone = once(last, 'exit');
      last.stdin?.end();
      await gone;
    },
  };
}
