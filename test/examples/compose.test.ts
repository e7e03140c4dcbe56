import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DCLinter } from 'dclint'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { GATEWAY_PROGRAM } from '../support/gateway-process.ts'

/** `examples/deploy/compose.yaml`, as far as it can be checked without Docker. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(ROOT, 'examples/deploy')
const TEXT = readFileSync(join(FOLDER, 'compose.yaml'), 'utf8')

interface Service {
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly image?: string
  readonly read_only: boolean
  readonly cap_drop: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly deploy?: { readonly replicas: number }
  readonly stop_grace_period?: string
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}

interface GatewayFile {
  readonly listen: string
  readonly preStop: string
  readonly shutdownGrace: string
  readonly pools: {
    readonly shop: { readonly backends: readonly { readonly id: string; readonly url: string }[] }
  }
}

const COMPOSE = parse(TEXT, { merge: true }) as Compose
const SERVICES = Object.entries(COMPOSE.services)
const FILE = parse(readFileSync(join(FOLDER, 'compose-limpet.yaml'), 'utf8')) as GatewayFile

/** dclint's own types do not resolve for ES modules. */
interface LintResult {
  readonly messages: readonly { readonly rule: string; readonly message: string }[]
}

/** The violations of the published schema. The linter's opinions about order and style are left out. */
function schemaErrors(text: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-compose-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'compose.yaml')
  writeFileSync(path, text)
  const linter = new DCLinter({ rules: {}, quiet: true, debug: false, exclude: [] })
  const results = linter.lintFiles([path], false) as readonly LintResult[]
  return results
    .flatMap(({ messages }) => messages)
    .filter(({ rule }) => rule.startsWith('invalid-'))
    .map(({ message }) => message)
}

test('the file is what the schema of Compose takes, and the schema finds mistakes', () => {
  expect(schemaErrors(TEXT)).toEqual([])
  for (const [right, wrong] of [
    ['read_only: true', 'readonly: true'],
    ['condition: service_healthy', 'condition: service_well'],
    ['command: [shop1', 'comand: [shop1'],
  ] as const)
    expect(schemaErrors(TEXT.replace(right, wrong))).toHaveLength(1)
})

test('images are built from files that exist, or have an exact version', () => {
  const builds = SERVICES.flatMap(([, { build }]) => build ?? [])
  expect(builds).toHaveLength(4)
  for (const { context, dockerfile } of builds) {
    expect(resolve(FOLDER, context)).toBe(resolve(ROOT))
    expect(existsSync(join(ROOT, dockerfile))).toBe(true)
  }
  const images = SERVICES.flatMap(([, { image }]) => image ?? [])
  expect(images).toEqual([expect.stringMatching(/^\w+\/\w+:\d/)])
})

test('each container is read-only and has no capability', () => {
  for (const [name, service] of SERVICES)
    expect([name, service.read_only, service.cap_drop]).toEqual([name, true, ['ALL']])
})

test('mounted files and volumes are there', () => {
  const sources = SERVICES.flatMap(([, { volumes = [] }]) =>
    volumes.map(volume => volume.split(':')[0] ?? ''),
  )
  expect(sources).toHaveLength(2)
  for (const source of sources)
    expect(source.startsWith('./') ? existsSync(join(FOLDER, source)) : source in COMPOSE.volumes).toBe(true)
})

test('a service waits for services that can say that they are healthy', () => {
  const dockerfile = readFileSync(join(FOLDER, 'Dockerfile'), 'utf8')
  expect(dockerfile).toContain('HEALTHCHECK')
  const waits = SERVICES.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on))
  expect(waits).toHaveLength(7)
  for (const [name, { condition }] of waits) {
    expect(condition).toBe('service_healthy')
    expect(COMPOSE.services[name]?.healthcheck?.test[0]).toBe('CMD')
  }
})

test('the health check of a shop is a program that Node takes', () => {
  const [, node, flag, program = ''] = COMPOSE.services['shop1']?.healthcheck?.test ?? []
  expect([node, flag]).toEqual(['node', '-e'])
  // No shop listens here: it says so by its exit code, and prints nothing.
  const { status, stderr } = spawnSync(process.execPath, ['-e', program.replace(':3000', ':1')], {
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([1, ''])
})

test("the gateway's file has the shops, by their names and ports", () => {
  const shops = SERVICES.filter(([, { build }]) => build?.dockerfile.endsWith('shop.Dockerfile'))
  const rows = shops.map(([name, { command }]) => ({ id: name, url: `http://${name}:${command?.[1]}` }))
  expect(FILE.pools.shop.backends).toEqual(rows)
  expect(shops.map(([name, { command }]) => [name, command?.[0]])).toEqual(
    shops.map(([name]) => [name, name]),
  )
  for (const [, { environment }] of [...shops, ['limpet', COMPOSE.services['limpet'] ?? {}] as const])
    expect(COMPOSE.services).toHaveProperty(new URL(environment?.['REDIS_URL'] ?? '').hostname)
})

test("the gateway's file is good, is mounted where the image reads it, and listens where the port leads", () => {
  const { services } = COMPOSE
  const { volumes, ports, environment = {}, deploy, stop_grace_period: grace } = services['limpet'] ?? {}
  const [source, target] = volumes?.[0]?.split(':') ?? []
  const dockerfile = readFileSync(join(FOLDER, 'Dockerfile'), 'utf8')
  expect(dockerfile).toContain(`CMD ["--config", "${target}"]`)
  const [, first, last, inside] = /^127\.0\.0\.1:(\d+)-(\d+):(\d+)$/.exec(ports?.[0] ?? '') ?? []
  expect(FILE.listen).toBe(`0.0.0.0:${inside}`)
  expect(Number(last) - Number(first) + 1).toBe(deploy?.replicas)
  const seconds = (text = ''): number => Number(/^(\d+)s$/.exec(text)?.[1])
  expect(seconds(grace)).toBeGreaterThan(seconds(FILE.preStop) + seconds(FILE.shutdownGrace))

  const secret = 'a-secret-of-the-tests-0123456789abcdef'
  const variables = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value.startsWith('${') ? secret : value]),
  )
  const { status, stderr } = spawnSync(
    process.execPath,
    [GATEWAY_PROGRAM, 'check', '--config', join(FOLDER, source ?? '')],
    { encoding: 'utf8', env: { PATH: process.env['PATH'], ...variables } },
  )
  expect([status, stderr]).toEqual([0, ''])
})
