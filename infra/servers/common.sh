# What the scripts beside this one share: where a server lives, free ports, generated passwords, start and stop by process id.
# shellcheck shell=bash
set -euo pipefail
umask 077
server=$(basename "$0")

say() { printf '%s: %s\n' "$server" "$*" >&2; }
die() { say "$@"; exit 1; }
usage() { sed -n '2,/^[^#]/ s/^# \{0,1\}//p' "$0"; exit "${1:-2}"; }

# What follows the verb: [FOLDER] [--until-exit PID]
read_arguments() {
  folder=${DML_SERVERS:-/var/tmp/dmlpipeline-$(id -u)} until_exit=''
  while [ $# -gt 0 ]; do
    case "$1" in
      --until-exit) until_exit=${2:?--until-exit needs a process id}; shift 2 ;;
      -*) usage ;;
      *) folder=$1; shift ;;
    esac
  done
  mkdir -p "$folder"
  [ -O "$folder" ] || die "$folder belongs to somebody else. Choose another folder."
  folder=$(cd "$folder" && pwd)
  # Others may pass through, to what is theirs below, but not look around: PostgreSQL runs as a user of its own.
  chmod 711 "$folder"
  home=$folder/$server settings=$folder/$server.env
}

needs() { # PROGRAM PACKAGES
  command -v "$1" >/dev/null || die "$1 is missing. Run infra/servers/setup, or install $2."
}

password() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port on which nothing listens, below those that the system gives to outgoing connections.
free_port() {
  local port
  for _ in $(seq 200); do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    listens "$port" || { echo "$port"; return; }
  done
  die "found no free port between 20000 and 32000"
}

# A process id alone may come to mean another process; with its time of start it cannot.
# Of a process that has ended and that nobody has buried yet: nothing.
started_at() { sed -n 's/.*) \([^ZX] \)/\1/p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

alive() { # NAME
  local pid since
  { read -r pid since < "$home/$1.pid"; } 2>/dev/null || return 1
  [ -n "$since" ] && [ "$(started_at "$pid")" = "$since" ]
}

spawn() { # NAME COMMAND…
  local name=$1 pid
  shift
  setsid "$@" >> "$home/$name.out" 2>&1 < /dev/null &
  pid=$!
  echo "$pid $(started_at "$pid")" > "$home/$name.pid"
}

stop() { # NAME: asks, and after 20 seconds, or STOP_WITHIN, ends it
  local pid
  if alive "$1"; then
    read -r pid _ < "$home/$1.pid"
    kill "$pid" 2>/dev/null || true
    for _ in $(seq $((10 * ${STOP_WITHIN:-20}))); do alive "$1" || break; sleep 0.1; done
    if alive "$1"; then kill -9 "$pid"; fi
  fi
  rm -f "$home/$1.pid"
}

wait_for() { # SECONDS WHAT LOG COMMAND…
  local seconds=$1 what=$2 log=$3
  shift 3
  local end=$((SECONDS + seconds))
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || { tail -n 20 "$log" >&2 || true; die "$what within $seconds s; its log is $log"; }
    sleep 0.1
  done
}

# Ends the server and removes all that it kept when that process is no more, however it ended.
guard() {
  [ -n "$until_exit" ] || return 0
  setsid bash -c 'tail --pid="$1" -f /dev/null; "$2" wipe "$3"' guard "$until_exit" "$(cd "$(dirname "$0")" && pwd)/$server" "$folder" > /dev/null 2>&1 < /dev/null &
}
