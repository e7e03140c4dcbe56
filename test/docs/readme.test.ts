import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { CHECKS } from '../support/readme-block-checks.ts'
import { compile, endPrograms, run, withPorts } from '../support/readme-program.ts'
import { codeIn, readme, readmes, sitePages, tableOf } from '../support/readme.ts'
import { echo } from '../support/scripts.ts'

/*
 * Tests of the READMEs and of the pages of the site. Every block of TypeScript is type-checked and run as it stands, with the ports
 * of real backends in place of 3001, 3002 …, and every `console.log(…) // text` has to print that text (an ellipsis
 * stands for anything). The parts that a block leaves to the reader's program are in `support/readme-program.ts`.
 */

const CORE = readme('packages/core')
const FASTIFY = readme('packages/fastify')

const SNIPPETS = [...readmes(), ...sitePages()].flatMap(({ snippets }) => snippets)
const TYPESCRIPT = SNIPPETS.filter(({ language }) => language === 'ts')

describe('a block of TypeScript', () => {
  beforeAll(() => {
    compile([
      ...TYPESCRIPT.map(({ key, code }) => ({ key, code, tail: CHECKS[key]?.tail })),
      ...defaultPrograms(),
    ])
  })
  afterAll(endPrograms)

  test('has a check, and every check a block', () => {
    expect(Object.keys(CHECKS).toSorted()).toEqual(TYPESCRIPT.map(({ key }) => key).toSorted())
  })

  test.each(TYPESCRIPT.map(({ key, code }) => [key, code]))('%s does what it says', async (key, code) => {
    const { tail = '', check } = CHECKS[key] ?? {}
    const backends = await startBackends('app1', 'app2', 'app3')
    const [app1, app2, app3] = backends
    const tls1 = await startBackend('tls1', echo, { tls: true })
    const tls2 = await startBackend('tls2', echo, { tls: true })
    const ports = { 3001: app1.port, 3002: app2.port, 3003: app3.port, 3443: tls1.port, 3444: tls2.port }
    const program = await run(key, ports)
    await check?.(program, backends)
    const promised = printsOf(withPorts(`${code}${tail}`, ports))
    expect(check !== undefined || promised.length > 0).toBe(true)
    let rest = program.out
    for (const line of promised) {
      expect(rest).toMatch(line)
      rest = rest.slice(rest.search(line)).replace(line, '')
    }
  })

  test.each(['core defaults', 'fastify defaults'])('the defaults of the tables are taken: %s', async key => {
    await run(key, {})
  })
})

/** The outputs that the lines of `console.log(…) // text` promise. */
function printsOf(code: string): readonly RegExp[] {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.*)/g)].map(([, text = '']) => {
    const parts = text.split('…').map(part => part.trim().replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`))
    return new RegExp(`^${parts.join('.*')}.*\n`, 'm')
  })
}

/** Every default that a table has as code, given as an option. */
function defaultPrograms(): { key: string; code: string }[] {
  const given = (marker: string): string =>
    tableOf(marker === 'options of limpet' ? FASTIFY : CORE, marker)
      .filter(
        ([option = '', , value = '']) =>
          /^`.*`$/.test(value) && !option.includes('.') && option !== '`affinity`',
      )
      .map(([option, , value]) => `${codeIn(option)[0]}: ${codeIn(value)[0]}`)
      .join(', ')
  const backend = `{ id: 'app1', url: 'http://127.0.0.1:3001', ${given('options of a backend')} }`
  const core = `secrets, backends: [${backend}], affinity: [{ cookie: { ${given('options of the cookie')} } }], ${given('options of createAffinity')}`
  const timeouts = tableOf(FASTIFY, 'options of limpet').filter(([option]) =>
    option?.startsWith('`timeouts.'),
  )
  const nested = timeouts
    .map(([option, , value]) => `${codeIn(option)[0]?.split('.')[1]}: ${codeIn(value)[0]}`)
    .join(', ')
  return [
    { key: 'core defaults', code: `createAffinity({ ${core} })` },
    {
      key: 'fastify defaults',
      code: `import Fastify from 'fastify'
        const app = Fastify()
        await app.register(limpet, { ${core}, ${given('options of limpet')}, timeouts: { ${nested} }, tls: { verify: true } })
        await app.ready()
        await app.close()`,
    },
  ]
}
