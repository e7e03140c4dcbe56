import { expect, it } from 'vitest'
import { bar, sparkline } from './sparkline.ts'

function pointsOf(rates: readonly number[]): string | undefined {
  return /points="([^"]*)"/.exec(sparkline(rates).text)?.[1]
}

it('draws the last rates at the right, as high as the largest of them', () => {
  expect(pointsOf([0, 50, 100])).toBe('58,15 59,8 60,1')
  // Less than one request a second is no full height.
  expect(pointsOf([0.5])).toBe('60,8')
  expect(sparkline([0, 50, 100]).text).toContain('100/s')
})

it('draws nothing without a rate', () => {
  expect(sparkline([]).text).toBe('<span class="num">–</span>')
})

it.each([
  [0, 0, 0],
  [3, 4, 45],
  [4, 4, 60],
])('draws %d of %d as a bar of %d', (value, max, width) => {
  expect(bar(value, max).text).toContain(`<rect width="${width}" height="4" />`)
})
