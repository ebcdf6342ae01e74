#!/bin/sh
# sipbouncer-passwd: what it writes, what it refuses, and how it ends.
passwd=$(realpath "${SIPBOUNCER_PASSWD:-./sipbouncer-passwd}") || exit 99
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 99
n=0

# want WHAT CODE COMMAND...: it ends with CODE; output in out and err.
want()
{
	what=$1 code=$2
	shift 2
	"$@" >out 2>err
	got=$?
	is "$what" "$got" "$code"
}

# is WHAT GOT WANTED
is()
{
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "got: $2" "wanted: $3" | sed 's/^/# /'
		sed 's/^/# /' err
	fi
}

say()
{
	line=$1
	shift
	printf '%s\n' "$line" | "$@"
}

# The user of RFC 7616 section 3.9.1; the sums are other programs'.
realm=http-auth@example.org
md5=$(printf 'Mufasa:%s:Circle of Life' "$realm" | md5sum | cut -d' ' -f1)
sha=$(printf 'Mufasa:%s:Circle of Life' "$realm" | sha256sum | cut -d' ' -f1)

want "create" 0 say "Circle of Life" "$passwd" create -f u -r "$realm" Mufasa
is "mode 0600" "$(stat -c %a u)" 600
is "the hashes" "$(cut -d, -f1,2 u)" "Mufasa:$realm:md5=$md5,sha-256=$sha"
is "nothing is left beside it" "$(echo u*)" u
want "verify" 0 say "Circle of Life" "$passwd" verify -f u -r "$realm" Mufasa
want "verify, wrong" 1 say "Circle of Lies" \
    "$passwd" verify -f u -r "$realm" Mufasa
want "verify, other realm" 1 say "Circle of Life" \
    "$passwd" verify -f u -r example.com Mufasa
want "verify, unknown" 1 say "Circle of Life" \
    "$passwd" verify -f u -r "$realm" Scar

want "create with identities" 0 say one "$passwd" create -f u -r example.com \
    -i 'sip:*@example.com' -i 'tel:+49*' bob
want "create again" 0 say two "$passwd" create -f u -r example.com bob
want "the old password is gone" 1 say one \
    "$passwd" verify -f u -r example.com bob
want "list" 0 "$passwd" list -f u
algs=MD5,SHA-256,SHA-512-256
is "what is listed" "$(cat out)" "$(printf '%s\t%s\t%s\n%s\t%s\t%s\t%s' \
    Mufasa "$realm" $algs bob example.com $algs 'sip:*@example.com,tel:+49*')"
want "list of one realm" 0 "$passwd" list -f u -r example.com
is "only that" "$(cut -f1 out)" bob
want "new identities" 0 say two "$passwd" create -f u -r example.com \
    -i sip:b@example.com bob
"$passwd" list -f u -r example.com >out
is "they replace the old" "$(cut -f4 out)" sip:b@example.com

create_two()
{
	printf 'a\nb\n' | {
		"$passwd" create -f u -r r one &&
		"$passwd" create -f u -r r two
	}
}
want "two from one input" 0 create_two
want "the first line is the first's" 0 say a "$passwd" verify -f u -r r one
want "the second line is the second's" 0 say b \
    "$passwd" verify --stdin -f u -r r two

want "delete" 0 "$passwd" delete -f u -r r one
want "delete again" 1 "$passwd" delete -f u -r r one
is "the rest stays" "$("$passwd" list -f u | cut -f1 | paste -sd,)" \
    Mufasa,bob,two

printf 'ann:r:%s\n# a comment\nbob:example.com:%s\nzoe:s:%s\n' \
    "$md5" "$md5" "$md5" >htdigest
chmod 644 htdigest
want "import" 0 "$passwd" import -f u -r r htdigest
is "of that realm" "$("$passwd" list -f u | cut -f1 | paste -sd,)" \
    Mufasa,bob,two,ann
want "import all" 0 "$passwd" import -f u htdigest
is "who was there is named" "$(grep -c 'left as it is' err)" 2
want "and is as before" 0 say two "$passwd" verify -f u -r example.com bob
cp u before
printf 'new:r:%s\nbad:r:12\n' "$md5" >htdigest
want "import with a fault" 3 "$passwd" import -f u htdigest
is "file and line" "$(cut -d: -f1,2 err)" htdigest:2
is "nothing was imported" "$(cmp u before && echo same)" same

want "no password" 3 say "" "$passwd" create -f u -r r eve
want "end of input" 3 "$passwd" create -f u -r r eve </dev/null
want "a control character" 3 say "$(printf 'a\tb')" \
    "$passwd" create -f u -r r eve
long=$(printf '%0513d' 0)
want "a password too long" 3 say "$long" "$passwd" create -f u -r r eve
want "the longest password" 0 say "${long#0}" "$passwd" create -f v -r r eve
want "a colon in the name" 2 say x "$passwd" create -f u -r r e:ve
want "a name like a comment" 2 say x "$passwd" create -f u -r r '#eve'
want "a bad identity" 2 say x "$passwd" create -f u -r r -i eve@r eve
is "nothing was changed" "$(cmp u before && echo same)" same

chmod 644 u
want "a file that others read" 3 "$passwd" list -f u
chmod 600 u
echo nonsense >>u
want "a faulty file" 3 say x "$passwd" create -f u -r r eve
is "its line" "$(cut -d: -f1,2 err)" "u:$(wc -l <u)"
want "no file" 3 "$passwd" list -f none

want "a key" 0 "$passwd" key k
is "32 bytes, mode 0400" "$(stat -c '%s %a' k)" "32 400"
want "not a second one" 3 "$passwd" key k

want "no command" 2 "$passwd"
want "unknown command" 2 "$passwd" frob
want "no file option" 2 "$passwd" create -r r eve
want "no realm option" 2 "$passwd" create -f u eve
want "no user" 2 "$passwd" create -f u -r r
want "two users" 2 "$passwd" create -f u -r r eve bob
want "an option of another command" 2 "$passwd" list -f u -i sip:a
want "help" 0 "$passwd" --help
want "version" 0 "$passwd" --version

# At a terminal: answer each prompt when it is there.
# answer N TEXT: the Nth prompt
answer()
{
	tries=0
	until [ "$(tr -cd : <typed | wc -c)" -ge "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || return
		sleep 0.05
	done
	printf '%s\n' "$2"
}

# ask FIRST SECOND
ask()
{
	: >typed
	{ answer 1 "$1"; answer 2 "$2"; sleep 0.2; } |
	    script -qefc "'$passwd' create -f t -r r eve" typed >/dev/null
}

if command -v script >/dev/null; then
	want "at a terminal" 0 ask secret1 secret1
	is "without echo" "$(grep -c secret typed)" 0
	want "it is the password" 0 say secret1 "$passwd" verify -f t -r r eve
	want "two that differ" 3 ask secret1 secret2
else
	for what in terminal echo password differ; do
		n=$((n + 1))
		echo "ok $n # SKIP $what: script(1) is not installed"
	done
fi
echo "1..$n"
