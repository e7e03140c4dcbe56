import { describe, expect, test } from 'vitest'
import { SECRET } from '../contract/start.ts'
import { outputOf, packagePrograms } from '../support/package-programs.ts'

const PROGRAMS = packagePrograms({
  framework: ['express', 'express'],
  adapter: '@limpet/express',
  use: `
    const handler = limpet({ backends: [], secrets: ['${SECRET}'] })
    const server = express().use(handler).listen(0, '127.0.0.1', async () => {
      const answer = await fetch('http://127.0.0.1:' + server.address().port)
      const [, page] = /<pre>(.*)<\\/pre>/s.exec(await answer.text())
      handler.close()
      server.close()
      console.log(answer.status, page)
    })`,
})

describe('the package', () => {
  test.each(PROGRAMS)('is %s, and leaves nothing that would keep the process alive', async (_, args) => {
    const { stdout } = await outputOf(args, import.meta.dirname)
    expect(stdout).toBe('503 no backend is available\n')
  })
})
