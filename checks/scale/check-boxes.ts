/**
 * `npm run check -- boxes`: two boxes behind nginx, a Redis with Sentinels and a Postgres with a standby, all on loopback; twelve
 * sales while boxes die and hang, and both stores fail over. Needs root and nginx; takes about two minutes.
 */
import { test } from 'node:test';
import { faultOf } from '../../campaigns/faults/faults.ts';
import { boxFaults } from './faults.ts';
import { sellThrough } from './show.ts';
import { startStage } from './stage.ts';

const stage = await startStage('sentinel');
const { killed, hung, promoted } = boxFaults(stage);

test('twelve sales sell out, with right books, while boxes die and hang and both stores fail over', () =>
  sellThrough(stage, [killed, hung, faultOf('redis-sentinel'), promoted]));
