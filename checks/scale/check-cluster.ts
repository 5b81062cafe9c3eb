/**
 * `npm run check -- cluster`: two boxes behind nginx on a Redis Cluster of six and a Postgres with a standby, all on loopback; twelve
 * sales while a master dies and slots move. Needs root and nginx; takes about two minutes.
 */
import { test } from 'node:test';
import { faultOf } from '../../campaigns/faults/faults.ts';
import { sellThrough } from './show.ts';
import { startStage } from './stage.ts';

const stage = await startStage('cluster');

test('twelve sales on a Cluster sell out, with right books, while a master dies and slots move', () =>
  sellThrough(stage, [
    faultOf('cluster-master-killed'),
    faultOf('cluster-slot-moved'),
    faultOf('cluster-master-killed'),
  ]));
