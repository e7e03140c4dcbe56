// Finds the programs outside of npm that tests need, and installs the missing ones where that is possible.
//
// On Debian and its like, as root, they come from apt. Elsewhere the tests that need them are skipped, and a line says
// how to get the program. With CI=true a missing program is a failure: nothing is skipped there.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Each needs one of `commands`. A service of the same package is not left running. */
const PROGRAMS = [
  {
    commands: ['redis-server', 'valkey-server'],
    debian: 'redis-server',
    service: 'redis-server',
    neededBy: 'the tests of @limpet/redis and of examples/session-stores',
  },
  {
    commands: ['promtool'],
    debian: 'prometheus',
    service: 'prometheus',
    neededBy: "promtool's check of the metrics",
  },
]

const isCi = process.env.CI === 'true'
const missing = PROGRAMS.filter(({ commands }) => !commands.some(isOnPath))
if (missing.length > 0 && canInstall()) install(missing)

for (const { commands, debian, neededBy } of missing) {
  if (commands.some(isOnPath)) continue
  const consequence = isCi ? `${neededBy} cannot run` : `${neededBy} are skipped`
  console.error(
    `system-packages: no ${commands.join(' or ')} on the PATH, so ${consequence}. ` +
      `Get it with: apt-get install ${debian} (Debian), brew install ${debian.replace('-server', '')} (macOS)`,
  )
  if (isCi) process.exitCode = 1
}

function isOnPath(command) {
  return (process.env.PATH ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function canInstall() {
  return existsSync('/etc/debian_version') && process.getuid?.() === 0 && isOnPath('apt-get')
}

function install(programs) {
  const packages = programs.map(({ debian }) => debian)
  console.log(`system-packages: installing ${packages.join(', ')} with apt-get`)
  // In runlevel 1 invoke-rc.d starts no service of a package that is installed.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  for (const args of [
    ['update', '-q'],
    ['install', '-q', '-y', '--no-install-recommends', ...packages],
  ]) {
    const { status, stdout, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8' })
    if (status === 0) continue
    console.error(`system-packages: apt-get ${args[0]} failed\n${stdout ?? ''}${stderr ?? ''}`)
    return
  }
  // systemd knows no runlevel: a service that was not here a moment ago is stopped again.
  if (!existsSync('/run/systemd/system')) return
  for (const { service } of programs) spawnSync('systemctl', ['disable', '--now', service])
}
