#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { run } from './command.ts'

// V8 takes what outlives the first collections, when the heap is small, for long-lived, and makes it among the old from
// then on. Requests are not: dead ones among the old keep young ones from being collected, at a tenth of the CPU time.
setFlagsFromString('--no-allocation-site-pretenuring')

run(process.argv.slice(2), {
  out: text => void process.stdout.write(text),
  error: text => void process.stderr.write(text),
}).then(
  code => {
    // What is left, as the connections of a process that was told twice to end, is not waited for.
    process.exit(code)
  },
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
