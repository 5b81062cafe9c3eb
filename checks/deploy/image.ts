import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { isInContext, parseCopy, parseEnv, readDockerfile, type Stage } from './dockerfile.ts';

/**
 * A Dockerfile's steps by hand: each stage is a folder that becomes the root of a process by chroot, with the host's
 * /usr, /etc and the like bound into it, read-only, in the place of the base image. Linux, as root.
 */
export interface Image {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly workdir: string;
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

export interface BuildOptions {
  /** The project: the build context. */
  readonly context: string;
  /** An empty folder for the stages. */
  readonly dir: string;
  /** The node that takes the place of the base image's. */
  readonly node: string;
}

const HOST_DIRS = ['usr', 'bin', 'sbin', 'lib', 'lib64', 'etc'].filter((name) => existsSync(`/${name}`));

/** Shell lines that turn the folder $ROOT into something like a container's file system. */
const MOUNTS = `
mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"
for d in ${HOST_DIRS.join(' ')} dev; do mkdir -p "$ROOT/$d"; mount --rbind "/$d" "$ROOT/$d"; done
for d in ${HOST_DIRS.join(' ')}; do mount -o remount,bind,ro "$ROOT/$d"; done
mkdir -p "$ROOT/proc" "$ROOT/tmp" "$ROOT/opt/node" "$ROOT/root"
mount -t proc proc "$ROOT/proc"
mount --bind "$NODE_DIR" "$ROOT/opt/node"
`;
const PATH = '/opt/node:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

/** Builds all stages; returns the last. What a step writes to stdout is dropped, what it writes to stderr is not. */
export function buildImage(options: BuildOptions): Image {
  const stages = readDockerfile(join(options.context, 'Dockerfile'));
  const built = new Map<string, Image>();
  for (const stage of stages) built.set(stage.name, buildStage(stage, options, built));
  return built.get(stages.at(-1)!.name)!;
}

function buildStage(stage: Stage, options: BuildOptions, built: ReadonlyMap<string, Image>): Image {
  const root = join(options.dir, stage.name.replaceAll(' ', '-'));
  mkdirSync(root);
  const env: Record<string, string> = {};
  const image = {
    root,
    env,
    user: '0:0',
    workdir: '/',
    command: [] as string[],
    healthcheck: [] as string[],
  };
  for (const { name, text } of stage.instructions) {
    if (name === 'WORKDIR') {
      image.workdir = text;
      mkdirSync(join(root, text), { recursive: true });
    } else if (name === 'ENV') Object.assign(env, parseEnv(text));
    else if (name === 'USER') image.user = text;
    else if (name === 'CMD') image.command = JSON.parse(text);
    else if (name === 'HEALTHCHECK') image.healthcheck = JSON.parse(text.slice(text.indexOf('[')));
    else if (name === 'COPY') copy(text, join(root, image.workdir), options.context, built);
    else if (name === 'RUN') runStep(root, image.workdir, options.node, text);
    else if (!['LABEL', 'EXPOSE', 'VOLUME'].includes(name)) throw new Error(`cannot do ${name} by hand`);
  }
  return image;
}

function copy(text: string, into: string, context: string, built: ReadonlyMap<string, Image>): void {
  const { from, sources, target } = parseCopy(text);
  for (const source of sources) {
    if (from === undefined && !isInContext(join(context, '.dockerignore'), source))
      throw new Error(`COPY ${source}: .dockerignore keeps it out`);
    const path = from === undefined ? join(context, source) : join(built.get(from)!.root, source);
    const to = target.endsWith('/') ? join(into, target, basename(source)) : join(into, target);
    const filter = (file: string) =>
      from !== undefined || isInContext(join(context, '.dockerignore'), relative(context, file));
    cpSync(path, to, { recursive: true, filter, verbatimSymlinks: true });
    if (statSync(to).isDirectory()) chmodSync(to, 0o755);
  }
}

function runStep(root: string, workdir: string, node: string, command: string): void {
  const script = `${MOUNTS}exec chroot "$ROOT" /bin/sh -ec 'cd ${workdir}; ${command}'`;
  const { NODE_EXTRA_CA_CERTS = '' } = process.env;
  const env = { ROOT: root, NODE_DIR: dirname(node), PATH, HOME: '/root', NODE_EXTRA_CA_CERTS };
  const { status, stderr } = spawnSync('unshare', ['--mount', 'sh', '-ec', script], {
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`RUN ${command} failed with code ${status}:\n${stderr}`);
}

export interface RunOptions {
  readonly node: string;
  /** The host folder that is mounted at /data, and belongs to the image's user. */
  readonly data: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts the image's command as compose.yaml does: process 1 of its own pid namespace, on a read-only root with a /tmp
 * in memory, as the image's user without capabilities. The network is the host's.
 */
export function runImage(image: Image, options: RunOptions): ChildProcess {
  const [uid, gid] = image.user.split(':');
  const script = `${MOUNTS}
mount --bind "$DATA" "$ROOT/data"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount -o remount,bind,ro "$ROOT"
exec chroot "$ROOT" /usr/bin/setpriv --reuid=${uid} --regid=${gid} --clear-groups \\
  --no-new-privs --inh-caps=-all --bounding-set=-all /bin/sh -c 'cd ${image.workdir} && exec "$@"' sh "$@"`;
  const env = { ...image.env, ...options.env, ROOT: image.root, DATA: options.data, PATH };
  const args = ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-ec', script, 'sh', ...image.command];
  return spawn('unshare', args, {
    env: { ...env, NODE_DIR: dirname(options.node) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
