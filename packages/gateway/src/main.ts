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

// With a small heap, V8 takes allocations that survive the first collections for long-lived, and then allocates such
// objects in the old generation. Requests are short-lived. Dead ones there keep young ones alive, at 10 % more CPU.
setFlagsFromString('--no-allocation-site-pretenuring')

async function main(): Promise<number> {
  const { keepCompiledModules } = await import('./compile-cache.ts')
  keepCompiledModules(process.env)
  const { run } = await import('./command.ts')
  return run(process.argv.slice(2), {
    out: text => void process.stdout.write(text),
    error: text => void process.stderr.write(text),
  })
}

main().then(
  code => {
    // Remaining connections, as those of a process that was signalled twice, are not waited for.
    process.exit(code)
  },
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
