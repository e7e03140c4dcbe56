import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { SECRET } from '../contract/start.ts'

/** A gateway without a backend, which says 503. */
const USE = `
  const app = fastify(gatewayServerOptions())
  await app.register(limpet, { backends: [], secrets: ['${SECRET}'] })
  await app.register(async scope => acceptAnyBody(scope))
  const { statusCode } = await app.inject('/')
  await app.close()
  console.log(statusCode)`

const IMPORTED = `
  import fastify from 'fastify'
  import limpet, { acceptAnyBody, gatewayServerOptions, limpet as named } from '@limpet/fastify'
  if (limpet !== named) throw new Error('two plugins')
  ${USE}`

const REQUIRED = `
  const fastify = require('fastify')
  const limpet = require('@limpet/fastify')
  const { acceptAnyBody, default: byDefault, gatewayServerOptions, limpet: named } = limpet
  if (limpet !== named || limpet !== byDefault) throw new Error('two plugins')
  void (async () => {${USE}})()`

/** The Nodes of this machine that can require ES modules; the tests run on the first. */
const NODES = [process.execPath, '/usr/local/bin/node', '/usr/bin/node'].filter(
  node =>
    existsSync(node) && execFileSync(node, ['-p', 'process.features.require_module']).toString() === 'true\n',
)

async function run(node: string, ...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(node, args, { cwd: fileURLToPath(new URL('.', import.meta.url)) })
}

describe('the package', () => {
  test('is imported, by its default or by name', async () => {
    const { stdout, stderr } = await run(process.execPath, '--input-type=module', '-e', IMPORTED)
    expect([stdout, stderr]).toEqual(['503\n', ''])
  })

  test('is required, and is the plugin itself', async () => {
    const { stdout } = await run(process.execPath, '-e', REQUIRED)
    expect(stdout).toBe('503\n')
  })

  test.each(NODES)('is required by %s', async node => {
    const { stdout } = await run(node, '-p', 'typeof require("@limpet/fastify").gatewayServerOptions().http')
    expect(stdout).toBe('object\n')
  })
})
