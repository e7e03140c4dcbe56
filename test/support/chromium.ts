import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import packaged from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome']
/** The package's own arguments put all into one process, and turn off the rules between sites that tests are about. */
const ARGS = ['--no-sandbox', '--no-zygote', '--disable-gpu']

/** Starts a real browser: that of the machine, or else the one that npm has brought along. */
export async function startChromium(): Promise<Browser> {
  const command = (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap(folder => COMMANDS.map(name => join(folder, name)))
    .find(isExecutable)
  if (command !== undefined) return chromium.launch({ executablePath: command, args: ARGS })
  // The package has it for Linux. Elsewhere it is the Chrome that users have.
  if (process.platform !== 'linux') return chromium.launch({ channel: 'chrome' })
  return chromium.launch({ executablePath: await packaged.executablePath(), args: ARGS })
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
