import { describe, expect, test } from 'vitest'
import { SECRET } from '../contract/start.ts'
import { outputOf, packagePrograms } from '../support/package-programs.ts'

const PROGRAMS = packagePrograms({
  framework: ['koa', 'Koa'],
  adapter: '@limpet/koa',
  use: `
    const middleware = limpet({ backends: [], secrets: ['${SECRET}'] })
    const server = new Koa().use(middleware).listen(0, '127.0.0.1', async () => {
      const answer = await fetch('http://127.0.0.1:' + server.address().port)
      const text = await answer.text()
      middleware.close()
      server.close()
      console.log(answer.status, text)
    })`,
})

describe('the package', () => {
  test.each(PROGRAMS)('is %s, and leaves nothing that would keep the process alive', async (_, args) => {
    const { stdout, stderr } = await outputOf(args, import.meta.dirname)
    expect([stdout, stderr]).toEqual([
      '503 no backend is available\n',
      'limpet: pool default: no backend is available: requests get 503\n',
    ])
  })
})
