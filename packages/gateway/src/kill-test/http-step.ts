import type { Reply } from './capture.ts'
import type { Step, StepBody } from './scenario.ts'
import { filledJson, type Variables } from './template.ts'
import { type UploadBody, uploadBody } from './upload.ts'
import type { Asked, UserAgent } from './user-agent.ts'

type Body = Pick<Asked, 'headers' | 'body'>

/**
 * Sends the request of a step.
 * @param variables gets `sha256` when the step uploads
 */
export async function askStep(
  step: Step,
  target: URL,
  agent: UserAgent,
  variables: Map<string, string>,
  signal: AbortSignal,
): Promise<Reply> {
  const url = new URL(step.path.render(variables), target)
  const { headers, body } = bodyOf(step.body, variables)
  const fields = Object.fromEntries(
    step.headers.map(([name, value]) => [name.toLowerCase(), value.render(variables)]),
  )
  const received = await agent.ask(
    { method: step.method, url, headers: { ...headers, ...fields }, body },
    signal,
  )
  const cookies = await agent.jar.getCookies(url.href)
  return {
    status: received.status,
    text: received.text,
    header: name => [received.headers[name.toLowerCase()]].flat().join(', ') || undefined,
    cookie: name => cookies.find(({ key }) => key === name)?.value,
  }
}

function bodyOf(body: StepBody, variables: Map<string, string>): Body {
  switch (body.kind) {
    case 'none':
      return { headers: {}, body: undefined }
    case 'text':
      return { headers: { 'content-type': body.type }, body: always(body.text.render(variables)) }
    case 'json': {
      const text = JSON.stringify(filledJson(body.value, variables))
      return { headers: { 'content-type': 'application/json' }, body: always(text) }
    }
    case 'form':
      return {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: always(formText(body.fields, variables)),
      }
    case 'upload':
      return uploaded(uploadBody(body.upload), variables)
  }
}

function always(text: string): () => string {
  return () => text
}

function formText(fields: Extract<StepBody, { kind: 'form' }>['fields'], variables: Variables): string {
  return new URLSearchParams(
    fields.map(([name, value]): [string, string] => [name, value.render(variables)]),
  ).toString()
}

function uploaded(
  { contentType, contentLength, sha256, stream }: UploadBody,
  variables: Map<string, string>,
): Body {
  variables.set('sha256', sha256)
  return {
    headers: { 'content-type': contentType, 'content-length': String(contentLength) },
    body: stream,
  }
}
