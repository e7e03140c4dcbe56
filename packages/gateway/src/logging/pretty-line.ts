import { prettyFactory } from 'pino-pretty'

const EVENTS = prettyFactory({ singleLine: true })

/** The fields of a request's line that people read. */
interface RequestLine {
  readonly time: number
  readonly method?: string
  readonly host?: string
  readonly path?: string
  readonly status?: number
  readonly pool?: string
  readonly backend?: string
  readonly affinity?: string
  readonly attempts: number
  readonly totalMs: number
  readonly client?: string
  readonly end: string
  readonly traceId?: string
}

/** A line of the log for people: one line for each request, and one for each event. @param line of JSON */
export function prettyLine(line: string): string {
  return line.includes('"event":"request"') ? requestLine(JSON.parse(line) as RequestLine) : EVENTS(line)
}

function requestLine(line: RequestLine): string {
  const { time, status = '-', method = '-', host = '-', path = '-', totalMs, client = '-' } = line
  const clock = new Date(time).toISOString().slice(11, 23)
  const backend = line.backend === undefined ? 'no backend' : `${line.pool ?? '-'}/${line.backend}`
  const notes = [
    line.affinity ?? '-',
    `${totalMs} ms`,
    client,
    ...(line.attempts > 1 ? [`${line.attempts} attempts`] : []),
    ...(line.end === 'complete' ? [] : [line.end]),
    ...(line.traceId === undefined ? [] : [`trace ${line.traceId}`]),
  ]
  const text = `${clock} ${status} ${method} ${host}${path} -> ${backend} (${notes.join(', ')})`
  return `${text.replaceAll(CONTROLS, escaped)}\n`
}

// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001F\u007F-\u009F]/g

function escaped(control: string): string {
  return `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`
}
