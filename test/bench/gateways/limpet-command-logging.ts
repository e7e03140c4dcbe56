/** The same with its access log. */
import { runCommand } from './command.ts'

await runCommand(true)
