import { expect, it } from 'vitest'
import { readNginx } from './nginx-reader.ts'

it('reads words, quotes, comments and blocks, with their lines', () => {
  expect(
    readNginx(`user nginx; # not read; {
http{
  map $a $b { "~^x\\.y" 'it''s'; default "say \\"hi\\" \\\\ \\d"; }
  # server {
  server_name a#b \${host}.test;
}`),
  ).toEqual([
    { name: 'user', args: ['nginx'], line: 1 },
    {
      name: 'http',
      args: [],
      line: 2,
      block: [
        {
          name: 'map',
          args: ['$a', '$b'],
          line: 3,
          block: [
            { name: String.raw`~^x\.y`, args: ['it', 's'], line: 3 },
            { name: 'default', args: [String.raw`say "hi" \ \d`], line: 3 },
          ],
        },
        { name: 'server_name', args: ['a#b', '${host}.test'], line: 5 },
      ],
    },
  ])
})

it('reads none of the code of another language', () => {
  expect(readNginx('access_by_lua_block {\n if x then { y = "}" .. "{" } end\n}\nroot /a;')).toMatchObject([
    { name: 'access_by_lua_block', block: [] },
    { name: 'root', line: 4 },
  ])
})

it.each([
  ['user', 'line 1: the file ends within a directive; a ";" is missing'],
  ['\nhttp {', 'line 2: the file ends within this block; a "}" is missing'],
  ['a "b', 'line 1: the file ends within a quoted text'],
  ['http { user }', 'line 1: a directive ends with "}"; a ";" is missing'],
  ['}', 'line 1: a "}" has no "{"'],
  ['\n;', 'line 2: a directive has no name'],
  ['a_by_lua_block {', 'line 1: the file ends within this block; a "}" is missing'],
  ['a{'.repeat(33), 'line 1: blocks are nested more than 32 deep'],
])('refuses %j', (text, message) => {
  expect(() => readNginx(text)).toThrow(message)
})
