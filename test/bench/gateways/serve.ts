/** Tells the parent where this gateway listens, and what CPU it has used whenever it is asked. */
export function serve(url: string): void {
  process.on('message', () => process.send?.({ cpu: process.cpuUsage(), memory: process.memoryUsage().rss }))
  process.on('disconnect', () => process.exit(0))
  process.send?.({ url })
}
