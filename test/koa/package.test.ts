import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { SECRET } from '../contract/start.ts'

describe('the package', () => {
  const USE = `
    const middleware = limpet({ backends: [], secrets: ['${SECRET}'] })
    const server = new Koa().use(middleware).listen(0, '127.0.0.1', async () => {
      const answer = await fetch('http://127.0.0.1:' + server.address().port)
      const text = await answer.text()
      middleware.close()
      server.close()
      console.log(answer.status, text)
    })`
  const IMPORTED = `
    import Koa from 'koa'
    import limpet, { limpet as named } from '@limpet/koa'
    if (limpet !== named) throw new Error('two functions')
    ${USE}`
  const REQUIRED = `
    const Koa = require('koa')
    const limpet = require('@limpet/koa')
    const { refuseUpgrade, guardServer, SERVER_OPTIONS } = limpet
    if ([refuseUpgrade, guardServer, SERVER_OPTIONS].includes(undefined)) throw new Error('not all of it')
    if (limpet !== limpet.limpet || limpet !== limpet.default) throw new Error('two functions')
    ${USE}`

  test.each([
    ['imported, by its default or by name', ['--input-type=module', '-e', IMPORTED]],
    ['required, and is the function itself', ['-e', REQUIRED]],
  ])('is %s, and leaves nothing that would keep the process alive', async (_, args) => {
    const cwd = fileURLToPath(new URL('.', import.meta.url))
    const env = { ...process.env, NODE_ENV: undefined }
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd, env, timeout: 5_000 })
    expect([stdout, stderr]).toEqual([
      '503 no backend is available\n',
      'limpet: pool default: no backend is available: requests get 503\n',
    ])
  })
})
