/** The `limpet` command on Fastify. */
import { runCommand } from './command.ts'

await runCommand(false)
