import packaged from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'
import { installedCommand } from './installed-command.ts'

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome']
/** The package's own arguments put all into one process, and turn off the rules between sites that tests are about. */
const ARGS = ['--no-sandbox', '--no-zygote', '--disable-gpu']

/** Starts a real browser: that of the machine, or else the one that npm has brought along. */
export async function startChromium(): Promise<Browser> {
  const command = installedCommand(...COMMANDS)
  if (command !== undefined) return chromium.launch({ executablePath: command, args: ARGS })
  // The package has it for Linux. Elsewhere it is the Chrome that users have.
  if (process.platform !== 'linux') return chromium.launch({ channel: 'chrome' })
  return chromium.launch({ executablePath: await packaged.executablePath(), args: ARGS })
}
