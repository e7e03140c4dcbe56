export const HELP = `limpet kill-test: what happens to users when a backend is killed

  limpet kill-test SCENARIO.yaml [--url http://127.0.0.1:8080] [options]
  limpet kill-test --cart --url http://127.0.0.1:8080 \\
    --kill 'kill -9 $(cat $LIMPET_BACKEND.pid)'

Scenario
  SCENARIO.yaml, --cart, --counter   what each user does; --print prints it
  --url URL               the target, in place of the scenario's
  --sessions N            users (30)
  --rate N                steps a second, of all users together (100)
  --i-may-test HOST       tests a host that is not this machine
  --help                  prints this

Actions, on one backend after the other
  --drain, --kill, --restart, --ready COMMAND
                          shell commands; they have LIMPET_BACKEND and
                          LIMPET_ACTION in the environment
  --backends a,b          which backends, in place of those that answer
  --ask kill,restart      asks you to do it; the default without commands
  --settle 3s             users are well after this time without trouble
  --give-up 60s           users have not recovered after this time
  --hook-timeout 60s      for a command
  --max-duration 10m      for the whole test

Budget
  --max-lost N, --max-errors N, --max-logged-out N, --max-recovery 10s

Report
  --json FILE, --junit FILE, --html FILE
  --force                 writes over files that exist

Exit codes: 0 within the budget, 1 above it or users did not recover, 2 no test
(usage, scenario, target, hook), 130 or 143 ended by a signal.
`
