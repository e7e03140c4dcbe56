import { renameSync, writeFileSync } from 'node:fs'

/* Loaded into the gateway's process: on SIGUSR2 it collects the garbage and writes how much is left. */

const file = process.env['SOAK_HEAP_FILE'] ?? ''
const collect = globalThis.gc

if (collect !== undefined) {
  process.on('SIGUSR2', () => {
    // Objects that a finalizer has released are collected by the next.
    for (let count = 0; count < 3; count += 1) collect()
    writeFileSync(`${file}.new`, `${process.memoryUsage().heapUsed}\n`)
    renameSync(`${file}.new`, file)
  })
}
