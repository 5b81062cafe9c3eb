// The Redis of this machine: whether there is one, and whether and how it may be installed.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { isExecutable, onPath, say, stop } from './place.mjs';

const { env } = process;
const find = () => onPath('redis-server', 'valkey-server');

/**
 * Undefined when a Redis is there, or none is needed; else what installs it: `apt-get` or `brew`. Ends the set-up where
 * neither may: packages of the system are not ours to add, but where somebody said so (FLASHSALE_INSTALL), or where root
 * is alone with us.
 */
export function planRedis() {
  // The tests always start servers of their own.
  if (env.REDIS_URL && !/^(pre)?test$/.test(env.npm_lifecycle_event ?? '')) return undefined;
  if (env.REDIS_SERVER) {
    if (isExecutable(env.REDIS_SERVER) || onPath(env.REDIS_SERVER)) return undefined;
    stop(`REDIS_SERVER is "${env.REDIS_SERVER}", which is no program that can be run.`);
  }
  if (find()) return undefined;
  return allowedManager() ?? stop(`There is no redis-server on this machine: ${adviceFor()}.`);
}

function allowedManager() {
  const isRoot = process.getuid?.() === 0;
  switch (env.FLASHSALE_INSTALL) {
    case undefined:
    case '':
      return isRoot && isContainerLike() && onPath('apt-get') ? 'apt-get' : undefined;
    case 'no':
      return undefined;
    case 'apt':
      if (!onPath('apt-get')) stop('FLASHSALE_INSTALL is "apt", and there is no apt-get on this machine.');
      if (!isRoot) stop('FLASHSALE_INSTALL is "apt", which only root may use.');
      return 'apt-get';
    case 'brew':
      if (!onPath('brew')) stop('FLASHSALE_INSTALL is "brew", and there is no brew on this machine.');
      return 'brew';
    default:
      return stop(`FLASHSALE_INSTALL must be apt, brew or no, not "${env.FLASHSALE_INSTALL}".`);
  }
}

/** No init keeps services on this machine (systemd says so by this folder), or one does inside of a container. */
const isContainerLike = () => !existsSync('/run/systemd/system') || existsSync('/run/systemd/container');

function adviceFor() {
  const ways = onPath('apt-get')
    ? 'run "sudo apt-get install redis-server" (as root, FLASHSALE_INSTALL=apt does it)'
    : onPath('brew')
      ? 'run "brew install redis" (FLASHSALE_INSTALL=brew does it)'
      : 'install redis-server or valkey-server';
  return `${ways}, or set REDIS_SERVER to its path, or REDIS_URL to a Redis that runs already`;
}

/** Installs it with `apt-get` or `brew`. */
export function installRedis(manager) {
  if (manager === 'apt-get') installWithApt();
  else run('brew', ['install', 'redis']);
  if (!find()) stop(`${manager} did not bring redis-server; its message is above. ${sentence(adviceFor())}`);
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

/** Runs a package manager; its output matters only when it fails. */
function run(command, args) {
  const options = {
    encoding: 'utf8',
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 2 ** 26,
  };
  const { status, stdout, stderr } = spawnSync(command, args, options);
  if (status !== 0) say(`${stdout}${stderr}`.trim().split('\n').slice(-15).join('\n'));
  return status === 0;
}

/**
 * The package would start Redis as a service on port 6379, which nobody asked for. Debian's switch for that is
 * a policy-rc.d that answers 101; one that an administrator made is left alone.
 */
function installWithApt() {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  const remove = () => rmSync(policy, { force: true });
  if (isOurs) {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    process.once('exit', remove);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  }
  const lock = ['-o', 'DPkg::Lock::Timeout=120'];
  // Fails where one of many sources is away; what is known from others may still do.
  spawnSync('apt-get', [...lock, 'update', '-qq'], { stdio: 'ignore' });
  const done = run('apt-get', [...lock, 'install', '-y', '--no-install-recommends', 'redis-server']);
  // Nor should it start with the next boot.
  if (done && onPath('update-rc.d'))
    spawnSync('update-rc.d', ['redis-server', 'disable'], { stdio: 'ignore' });
}
