#!/usr/bin/env node
import { run } from './command.ts'

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
