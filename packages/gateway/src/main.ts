#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { isSupportedNode, OLDEST_NODE } from './node-version.ts'

// Before all else is loaded: an older Node fails somewhere in it, with an error that does not say why.
if (!isSupportedNode(process.versions.node)) {
  process.stderr.write(
    `limpet: needs Node ${OLDEST_NODE} or newer, and this is Node ${process.versions.node}; install a newer Node\n`,
  )
  process.exit(1)
}

// V8 takes what outlives the first collections, when the heap is small, for long-lived, and makes it among the old from
// then on. Requests are not: dead ones among the old keep young ones from being collected, at a tenth of the CPU time.
setFlagsFromString('--no-allocation-site-pretenuring')

async function main(): Promise<number> {
  const { run } = await import('./command.ts')
  return run(process.argv.slice(2), {
    out: text => void process.stdout.write(text),
    error: text => void process.stderr.write(text),
  })
}

main().then(
  code => {
    // Connections that are left, as those of a process that was told twice to end, are not waited for.
    process.exit(code)
  },
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
