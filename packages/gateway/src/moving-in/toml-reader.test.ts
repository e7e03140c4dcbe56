import { expect, it } from 'vitest'
import { readToml } from './toml-reader.ts'

it('reads tables, dotted keys, lists and inline tables as statements', () => {
  expect(
    readToml('a.b = 1\n[http]\nx = [true, "two"]\n[[http.servers]]\nurl = "u"\ny = { z = 1.5 }\n'),
  ).toEqual([
    {
      name: 'a',
      path: 'a',
      line: 1,
      args: [],
      block: [{ name: 'b', path: 'a.b', line: 1, args: ['1'], block: [] }],
    },
    {
      name: 'http',
      path: 'http',
      line: 2,
      args: [],
      block: [
        {
          name: 'x',
          path: 'http.x',
          line: 3,
          args: [],
          block: [
            { name: '-', path: 'http.x[0]', line: 3, args: ['true'], block: [] },
            { name: '-', path: 'http.x[1]', line: 3, args: ['two'], block: [] },
          ],
        },
        {
          name: 'servers',
          path: 'http.servers',
          line: 4,
          args: [],
          block: [
            {
              name: '-',
              path: 'http.servers[0]',
              line: 4,
              args: [],
              block: [
                { name: 'url', path: 'http.servers[0].url', line: 5, args: ['u'], block: [] },
                {
                  name: 'y',
                  path: 'http.servers[0].y',
                  line: 6,
                  args: [],
                  block: [{ name: 'z', path: 'http.servers[0].y.z', line: 6, args: ['1.5'], block: [] }],
                },
              ],
            },
          ],
        },
      ],
    },
  ])
})

it('refuses text that is no TOML, and a file that is too long', () => {
  expect(() => readToml('a = 1\nb = ')).toThrow(/^line 2: it is no TOML/)
  expect(() => readToml('#'.repeat(256 * 1024 + 1))).toThrow('a file of TOML may have 256 KiB')
})
