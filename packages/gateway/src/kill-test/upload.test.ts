import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { type Upload, uploadBody } from './upload.ts'

const UPLOAD: Upload = { size: 1_000, field: undefined, fileName: 'a.bin', type: 'image/png', overMs: 0 }
const never = new AbortController().signal

it('is random bytes, the same in each reading', async () => {
  const body = uploadBody(UPLOAD)
  const bytes = await buffer(body.stream(never))
  expect([bytes.length, body.contentLength, body.contentType]).toEqual([1_000, 1_000, 'image/png'])
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(body.sha256)
  expect(await buffer(body.stream(never))).toEqual(bytes)
  expect(uploadBody(UPLOAD).sha256).not.toBe(body.sha256)
})

it('is a form with the file in one field, whose names cannot end their lines', async () => {
  const { contentType, contentLength, sha256, stream } = uploadBody({
    ...UPLOAD,
    field: 'photo"\r\n',
    fileName: 'a "b".png',
  })
  const bytes = await buffer(stream(never))
  const boundary = contentType.replace('multipart/form-data; boundary=', '')
  const head = [
    `--${boundary}`,
    'Content-Disposition: form-data; name="photo%22%0D%0A"; filename="a %22b%22.png"',
    'Content-Type: image/png',
    '\r\n',
  ].join('\r\n')
  const tail = `\r\n--${boundary}--\r\n`
  expect(bytes.toString('latin1', 0, head.length)).toBe(head)
  expect(bytes.toString('latin1', bytes.length - tail.length)).toBe(tail)
  const file = bytes.subarray(head.length, bytes.length - tail.length)
  expect([contentLength, createHash('sha256').update(file).digest('hex')]).toEqual([bytes.length, sha256])
})

it('takes its time in equal pieces, and ends when it is given up', async () => {
  const { stream } = uploadBody({ ...UPLOAD, overMs: 50 })
  const sizes: number[] = []
  for await (const piece of stream(never)) sizes.push(piece.length)
  expect(sizes).toEqual(Array.from({ length: 50 }, () => 20))
  const slow = uploadBody({ ...UPLOAD, overMs: 3_600_000 }).stream(AbortSignal.abort())
  await slow.next()
  await expect(slow.next()).rejects.toThrow(/abort/i)
})
