/**
 * HAProxy's columns in their order (its management guide, §9.1), up to the last that its stable versions have in common.
 * Readers know some by their name and others by their position.
 */
const COLUMNS = [
  'pxname svname qcur qmax scur smax slim stot bin bout',
  'dreq dresp ereq econ eresp wretr wredis status weight act',
  'bck chkfail chkdown lastchg downtime qlimit pid iid sid throttle',
  'lbtot tracked type rate rate_lim rate_max check_status check_code check_duration hrsp_1xx',
  'hrsp_2xx hrsp_3xx hrsp_4xx hrsp_5xx hrsp_other hanafail req_rate req_rate_max req_tot cli_abrt',
  'srv_abrt comp_in comp_out comp_byp comp_rsp lastsess last_chk last_agt qtime ctime',
  'rtime ttime agent_status agent_code agent_duration check_desc agent_desc check_rise check_fall check_health',
  'agent_rise agent_fall agent_health addr cookie mode algo conn_rate conn_rate_max conn_tot',
  'intercepted dcon dses wrew connect reuse cache_lookups cache_hits srv_icur src_ilim',
  'qtime_max ctime_max rtime_max ttime_max eint idle_conn_cur safe_conn_cur used_conn_cur need_conn_est uweight',
].join(' ')

const CSV_COLUMNS: readonly string[] = COLUMNS.split(' ')

/** The columns that have a value here; the others are empty. */
export interface CsvRow {
  readonly pxname: string
  readonly svname: string
  /** 0: frontend, 1: backend, 2: server. */
  readonly type: 0 | 1 | 2
  readonly [column: string]: string | number | undefined
}

/** As HAProxy writes it: each line ends with a comma, so that there is one field more, which is empty. */
export function csvLine(row: CsvRow): string {
  return `${CSV_COLUMNS.map(column => field(row[column])).join(',')},\n`
}

export const CSV_HEAD = `# ${CSV_COLUMNS.join(',')},\n`

/** Numbers are whole ones: readers take no others. */
function field(value: string | number | undefined): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(Math.round(value))
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""').replaceAll(/[\r\n]+/g, ' ')}"` : value
}
