import { benchCore } from './core.ts'
import { benchGateway } from './gateway.ts'
import { benchHash } from './hash.ts'
import { benchKubernetes } from './kubernetes.ts'
import { isOver, type Measured, table } from './measured.ts'
import { benchMemory } from './memory.ts'
import { benchMetrics } from './metrics.ts'
import { benchPeers } from './peers.ts'
import { benchRedis } from './redis.ts'
import { benchScale } from './scale.ts'
import { benchSharing } from './sharing.ts'
import { benchStats } from './stats.ts'
import { benchStartup } from './startup.ts'
import { benchStore } from './store.ts'
import { benchWorkers } from './workers.ts'

/*
 * Measures what the README promises, and exits with 1 when a limit is exceeded. Its arguments: which parts; none: all.
 */

const PARTS: Readonly<Record<string, () => Measured[] | Promise<Measured[]>>> = {
  core: benchCore,
  hash: benchHash,
  gateway: benchGateway,
  memory: benchMemory,
  metrics: benchMetrics,
  peers: benchPeers,
  redis: benchRedis,
  scale: benchScale,
  sharing: benchSharing,
  stats: benchStats,
  startup: benchStartup,
  store: benchStore,
  workers: benchWorkers,
  kubernetes: benchKubernetes,
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PARTS)
const measured: Measured[] = []
for (const name of names) {
  const bench = PARTS[name]
  if (bench === undefined) throw new Error(`no part ${name}; there are ${Object.keys(PARTS).join(', ')}`)
  console.log(`${name} …`)
  measured.push(...(await bench()))
}
console.log(`\n${table(measured)}`)
process.exitCode = measured.some(isOver) ? 1 : 0
