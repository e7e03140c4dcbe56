/*
 * A process that runs one program after the other: it imports the file that a message names. The modules of frameworks
 * and of limpet are loaded once for all of them, which is most of the work of a short program.
 *
 * A program ends here when it would end in a process of its own: when nothing keeps the event loop alive. Then both
 * outputs get the text that is the argument of this one. A program that throws ends the process.
 */

const END = process.argv[2] ?? ''
/** The exit code of Node for a program that waits for a promise that never settles. */
const UNSETTLED = 13

process.on('message', (file: string) => {
  process.channel?.unref()
  void run(file)
})

async function run(file: string): Promise<void> {
  let isLoaded = false
  process.once('beforeExit', () => {
    if (!isLoaded) process.exit(UNSETTLED)
    process.channel?.ref()
    process.stdout.write(END)
    process.stderr.write(END)
  })
  try {
    await import(file)
    isLoaded = true
  } catch (error) {
    console.error(error)
    process.exit(1)
  }
}
