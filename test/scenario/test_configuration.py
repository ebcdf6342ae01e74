"""The file and the command line."""

import json
import os
import re
import stat

import pytest

from harness import check
from harness.daemon import user_line
from harness.scene import ringing, serve

SMALLEST = """realm = "example.com";
listen = ( { uri = "sip:127.0.0.1:5060"; } );
users = { type = "file"; path = "users"; };
peers = ( { name = "pbx"; uri = "sip:127.0.0.5:5060"; \
from = [ "127.0.0.5" ]; auth = "ip"; } );
routes = ( { to = "pbx"; } );
"""


def check_text(scene, text, *args):
    """sipbouncer -t on this text."""
    scene.write_users()
    scene.daemon.configure(text)
    return scene.daemon.run("-t", "-c", scene.daemon.config_path, *args)


def complaints(scene, done):
    """[(line, option, words)] of what -t said on stderr."""
    out = []
    for line in done.stderr.splitlines():
        found = re.match(r"(.*?):(\d+): ([^:]*): (.*)", line)
        if found and found.group(1).endswith(".cfg"):
            out.append((int(found.group(2)), found.group(3), found.group(4)))
    return out


def at_line(text, addition):
    """SMALLEST plus a line; the number of that line."""
    return text + addition, text.count("\n") + 1


def test_the_smallest_configuration(scene):
    done = check_text(scene, SMALLEST + 'state_dir = "%s";\n' %
                      scene.folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("folder", ["new", "new/", "new//"])
@pytest.mark.parametrize("key", ["", 'auth = { key_file = "new/my.key"; };'])
def test_a_state_folder_is_made_with_its_key(scene, folder, key):
    done = check_text(scene, SMALLEST + 'state_dir = "%s";\n%s\n' %
                      (folder, key))
    assert done.returncode == 0, done.stderr
    assert "will be made at the first start" in done.stdout


@pytest.mark.parametrize("addition, option", [
    ('frobnicate = 1;', "frobnicate"),
    ('instance_id = "one";', "instance_id"),
    ('instance_id = 65536;', "instance_id"),
    ('auth = { nc_max = 0; };', "nc_max"),
    ('auth = { nc_max = "many"; };', "nc_max"),
    ('auth = { algorithms = [ "MD4" ]; };', "algorithms"),
    ('auth = { algorithms = [ "MD5", "MD5" ]; };', "algorithms"),
    ('auth = { nonce_lifetime = "120 parsecs"; };', "nonce_lifetime"),
    ('auth = { nonce_lifetime = "1s"; };', "nonce_lifetime"),
    ('auth = { qop = [ "auth-conf" ]; };', "qop"),
    ('auth = { bind = "port"; };', "bind"),
    ('auth = { typo = true; };', "typo"),
    ('limits = { pending = -5; };', "pending"),
    ('log = { format = "xml"; };', "format"),
    ('timers = { t1 = 5; };', "t1"),
    ('nonce_store = { type = "sqlite"; };', "nonce_store"),
    ('nonce_store = { type = "memory"; sise = 5; };', "sise"),
    ('nonce_store = { type = "redis"; url = "redis://127.0.0.1"; };',
     "nonce_store"),
    ('egress = ( { name = "x"; } );', "egress"),
    ('limits = { requests_per_source = "50"; };', "requests_per_source"),
    ('guard = { scanners = "/nowhere"; };', "scanners"),
    ('domains = [ "example.com", "sip:example.com" ];', "domains"),
    ('domains = "example.com:5060";', "domains"),
    ('domains = "*.example.com";', "domains"),
    ('record_route = "sip:sip.example.com";', "record_route"),
    ('classes = ( { name = "a b"; } );', "classes.name"),
    ('record_route = "sip.example.com:5060";', "record_route"),
    ('auth = { key_file = "/nowhere/else/my.key"; };', "auth.key_file"),
    ('auth = { second_key_file = "absent.key"; };', "auth.key_file"),
])
def test_one_wrong_option(scene, addition, option):
    text, line = at_line(SMALLEST, addition + "\n")
    done = check_text(scene, text)
    assert done.returncode == 1
    said = complaints(scene, done)
    assert len(said) == 1, done.stderr
    assert said[0][0] == line and option in said[0][1], done.stderr


@pytest.mark.parametrize("old, new, line, option", [
    ('realm = "example.com";', "", None, "realm"),
    ('realm = "example.com"', "realm = 5", 1, "realm"),
    ("sip:127.0.0.1:5060", "sip:localhost:5060", 2, "listen"),
    ("sip:127.0.0.1:5060", "sip:127.0.0.1:70000", 2, "listen"),
    ("sip:127.0.0.1:5060", "sips:127.0.0.1:5061", 2, "listen"),
    ("sip:127.0.0.1:5060", "sip:127.0.0.1;transport=ws", 2, "listen"),
    ('type = "file"; ', "", 3, "users"),
    ('type = "file"', 'type = "ldap"', 3, "users"),
    ('name = "pbx"; ', "", 4, "name"),
    ('name = "pbx"', 'name = "p b x"', 4, "name"),
    ('"127.0.0.5"', '"127.0.0.5/8"', 4, "from"),
    ('"127.0.0.5"', '"not an address"', 4, "from"),
    ('"127.0.0.5"', '"0.0.0.0/0"', 4, "from"),
    ('auth = "ip"', 'auth = "trust"', 4, "auth"),
    ('auth = "ip"', 'auth = "ip"; path = "never"', 4, "path"),
    ('auth = "ip"', 'auth = "ip"; listener = "inside"', 4, "listener"),
    ('auth = "ip"', 'auth = { all = [ "ip", "certificate" ]; }', 4, "auth"),
    ('uri = "sip:127.0.0.5:5060"; ', 'uri = "http://x"; ', 4, "uri"),
    ('to = "pbx"', 'to = "carrier"', 5, "to"),
    ('to = "pbx"', 'from = "nobody"; to = "pbx"', 5, "from"),
    ('to = "pbx"', 'uri = "bob"; to = "pbx"', 5, "uri"),
])
def test_one_wrong_value(scene, old, new, line, option):
    assert old in SMALLEST
    done = check_text(scene, SMALLEST.replace(old, new))
    assert done.returncode == 1
    if line is None:
        assert option in done.stderr
        return
    said = complaints(scene, done)
    assert said, done.stderr
    assert said[0][0] == line and option in said[0][1], done.stderr


def test_duplicate_names(scene):
    text = SMALLEST.replace(
        "peers = ( ", 'peers = ( { name = "pbx"; uri = "sip:127.0.0.6"; },\n'
    ).replace("listen = ( ", 'listen = ( { name = "a"; uri = '
              '"sip:127.0.0.2"; },\n{ name = "a"; uri = "sip:127.0.0.3"; },\n')
    done = check_text(scene, text)
    assert done.returncode == 1
    options = " ".join(c[1] for c in complaints(scene, done))
    assert "name" in options


@pytest.mark.parametrize("addition, said", [
    ("ban_after = 5;", "limits has one"),
    ('auth = { ban_time = "5m"; };', "limits has one"),
    ('nonce_lifetime = "5m";', "auth has one"),
    ('limits = { methods = { register = "1/s"; }; };',
     "did you mean REGISTER?"),
    ("limits = { pending = \"5\"; };", "without quotes"),
])
def test_what_would_be_right_is_said(scene, addition, said):
    text, line = at_line(SMALLEST, addition)
    done = check_text(scene, text)
    assert done.returncode == 1 and ".cfg:%d: " % line in done.stderr
    assert said in done.stderr


def test_several_errors_in_one_run(scene):
    text = SMALLEST + ("auth = { nc_max = 0;\n typo = 1;\n };\n"
                       "bogus = 1;\nlimits = { pending = \"x\"; };\n")
    done = check_text(scene, text)
    assert done.returncode == 1
    assert {(6, "nc_max"), (7, "typo"), (9, "bogus"), (10, "pending")} <= {
        (line, option.rsplit(".", 1)[-1])
        for line, option, _ in complaints(scene, done)}, done.stderr


def test_a_syntax_error_has_its_line(scene):
    done = check_text(scene, SMALLEST + "limits = { pending = ;\n")
    assert done.returncode == 1
    assert re.search(r"\.cfg:6: .*missing", done.stderr), done.stderr


def test_a_missing_file(scene):
    done = scene.daemon.run("-t", "-c", scene.folder + "/absent.cfg")
    assert done.returncode == 1 and "absent.cfg" in done.stderr


def test_a_missing_users_file(scene):
    scene.write_config(users={"type": "file", "path": "absent"})
    done = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert done.returncode == 1 and "absent" in done.stderr + done.stdout


def test_the_daemon_itself_refuses_a_wrong_file(scene):
    scene.daemon.configure(SMALLEST + "frobnicate = 1;\n")
    scene.write_users()
    done = scene.daemon.run("-c", scene.daemon.config_path)
    assert done.returncode == 1
    assert complaints(scene, done)[0][:2] == (6, "frobnicate")


def test_a_peer_by_udp_address_on_a_public_listener_is_warned_of(scene):
    text = SMALLEST.replace("127.0.0.1:5060", "0.0.0.0:5060").replace(
        '"127.0.0.5"', '"198.51.100.0/24"')
    done = check_text(scene, text + 'state_dir = "%s";\n' % scene.folder)
    assert done.returncode == 0, done.stderr
    assert re.search(r"warning.*(udp|forge)", done.stderr, re.I | re.S), \
        done.stderr


# ---- what is good, and leaves a hole

PUBLIC = SMALLEST.replace("127.0.0.1:5060", "0.0.0.0:5060").replace(
    '"127.0.0.5" ]; auth = "ip"', '"127.0.0.5" ]; listener = "in"').replace(
    "listen = ( ", 'listen = ( { name = "in"; uri = "sip:127.0.0.1:5062"; '
    '},\n')


def warnings(scene, text, addition):
    """[(line, option)] of what -t warns of; the line after text is 0."""
    done = check_text(scene, "%s%s\nstate_dir = \"%s\";\n" % (
        text, addition, scene.folder))
    assert done.returncode == 0, done.stderr
    assert len(complaints(scene, done)) == done.stderr.count("warning"), \
        done.stderr
    return [(line - text.count("\n") - 1, option)
            for line, option, _ in complaints(scene, done)]


@pytest.mark.parametrize("text, addition, option", [
    (SMALLEST, "auth = { legacy = true; };", "auth.legacy"),
    (SMALLEST, 'auth = { algorithms = [ "MD5" ]; };', "auth.algorithms"),
    (SMALLEST, 'auth = { algorithms = [ "MD5", "SHA-256" ]; };',
     "auth.algorithms"),
    (PUBLIC, 'limits = { requests_per_source = "off"; };',
     "limits.requests_per_source"),
    (PUBLIC, 'limits = { ban_after = "off"; };', "limits.ban_after"),
    (SMALLEST, 'limits = { ban_never = [ "0.0.0.0/0" ]; };',
     "limits.ban_never"),
    (SMALLEST, 'deny = [ "127.0.0.0/29" ];', "deny"),
    (SMALLEST, 'classes = ( { name = "x"; deny = [ "+49", "00*" ]; } );',
     "classes.deny"),
    (SMALLEST, 'classes = ( { name = "x"; allow = "9XXX"; } );',
     "classes.allow"),
    (SMALLEST, 'auth = { methods = [ "REGISTER", "Invite" ]; };',
     "auth.methods"),
    (SMALLEST, 'resolv_conf = "/nowhere";', "resolv_conf"),
])
def test_a_hole_is_warned_of(scene, text, addition, option):
    assert warnings(scene, text, addition) == [(0, option)]


@pytest.mark.parametrize("text, addition", [
    (SMALLEST, 'auth = { algorithms = [ "SHA-256", "MD5" ]; };'),
    (SMALLEST, 'limits = { requests_per_source = "off"; '
               'ban_after = "off"; };'),
    (PUBLIC, 'guard = { scanners = "off"; };'),
    (SMALLEST, 'deny = [ "127.0.0.0/30" ];'),
    (SMALLEST, 'classes = ( { name = "x"; allow = [ "+49", "2", "(030)" ]; '
               'deny = [ "*21", "#31", "bob" ]; } );'),
    (SMALLEST, 'domains = [ "example.com.", "10.0.0.1", "2001:db8::1", '
               '"[2001:db8::2]" ];'),
    (PUBLIC, ""),
])
def test_what_is_no_hole_is_not_warned_of(scene, text, addition):
    assert warnings(scene, text, addition) == []


def test_a_route_for_a_method_in_small_letters_is_warned_of(scene):
    text = SMALLEST.replace("routes = ( ", 'routes = ( { method = "invite"; '
                            'prefix = "+1900"; reject = 603; },\n')
    assert warnings(scene, text, "") == [(-2, "routes.method")]


def test_a_peer_at_all_addresses_is_warned_of(scene):
    text = SMALLEST.replace("peers = ( ", 'peers = ( { name = "far"; '
                            'users = "u"; from = "0.0.0.0/0"; '
                            'auth = "digest"; },\n')
    assert warnings(scene, text, "") == [(-3, "peers.from")]


def test_users_of_other_realms_alone_are_warned_of(scene):
    done = check_text(scene, SMALLEST.replace(
        'realm = "example.com"', 'realm = "other.example"') +
        'state_dir = "%s";\n' % scene.folder)
    assert done.returncode == 0
    assert 'none of its users is of the realm "other.example"' in done.stderr


def test_an_address_of_ipv6_is_written_in_brackets(scene):
    scene.write_config(record_route="2001:db8::1", listen=[
        {"uri": "sip:%s:5060" % scene.at, "advertise": "2001:db8::2"}])
    scene.daemon.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("INVITE", "sip:bob@example.com")
    alice.expect(407)
    alice.answer()
    got = pbx.expect("INVITE")
    assert "@[2001:db8::1];lr" in got["Record-Route"]
    assert got["Via"].startswith("SIP/2.0/UDP [2001:db8::2]:5060;")
    pbx.reply(486)
    alice.expect(486)


def test_legacy_and_md5_are_no_hole_over_tls(scene, pki):
    shown = pki.server
    scene.write_config(
        listen=[scene.secure_listener(shown)],
        peers=[scene.pbx_peer(uri="sips:127.0.0.5", verify="none")],
        auth={"algorithms": ["MD5"], "legacy": True})
    done = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert done.returncode == 0, done.stderr
    assert "auth." not in done.stderr


def test_an_algorithm_that_some_users_lack_is_warned_of(scene):
    text, line = at_line(SMALLEST + 'state_dir = "%s";\n' % scene.folder,
                         'auth = {\n  algorithms = [ "SHA-256", "MD5" ]; };\n')
    scene.write_users([
        user_line("alice", "example.com", "wonderland"),
        user_line("bob", "example.com", "builder", algorithms=["MD5"])])
    scene.daemon.configure(text)
    done = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert done.returncode == 0, done.stderr
    assert complaints(scene, done)[0][:2] == (line + 1, "auth.algorithms")
    assert "SHA-256" in done.stderr and "MD5" not in done.stderr
    assert "users:2: 1 users have no SHA-256" in done.stdout


def test_effective_configuration_round_trip(scene):
    scene.write_config(auth={"algorithms": ["SHA-512-256", "SHA-256"],
                             "nonce_lifetime": "5m"},
                       limits={"pending": "off"})
    first = scene.daemon.run("-T", "-c", scene.daemon.config_path)
    assert first.returncode == 0, first.stderr
    assert "nonce_lifetime" in first.stdout and "pending" in first.stdout
    scene.daemon.configure(first.stdout)
    second = scene.daemon.run("-T", "-c", scene.daemon.config_path)
    assert second.returncode == 0, second.stderr
    assert second.stdout == first.stdout


def test_the_effective_configuration_works(scene):
    scene.write_config()
    done = scene.daemon.run("-T", "-c", scene.daemon.config_path)
    scene.daemon.configure(done.stdout)
    scene.daemon.start()
    serve(scene.alice(), scene.pbx())


def test_version(scene):
    done = scene.daemon.run("-V")
    assert done.returncode == 0
    assert re.search(r"sipbouncer \d+\.\d+", done.stdout)
    for module in ("file", "memory"):
        assert module in done.stdout


def test_a_firewall_that_is_not_built_in_is_refused(scene):
    said = scene.daemon.run("-V").stdout
    text, line = at_line(SMALLEST + 'state_dir = "%s";\n' % scene.folder,
                         'guard = { firewall = "nftables"; };\n')
    done = check_text(scene, text)
    if "firewalls: nftables" in said:
        assert done.returncode == 0, done.stderr
    else:
        assert "firewalls: none" in said and done.returncode == 1
        assert complaints(scene, done)[0][:2] == (line, "guard.firewall")
        assert "--with-nftables" in done.stderr


def test_a_faulty_url_of_redis_is_said(scene):
    done = check_text(scene, SMALLEST + 'state_dir = "%s";\nnonce_store = { '
                      'type = "redis"; url = "http://127.0.0.1"; };\n'
                      % scene.folder)
    assert done.returncode == 1
    assert "nonce_store: url must begin with redis://" in done.stderr


@pytest.mark.parametrize("args", [["-x"], ["-c"], ["stray"],
                                  ["--user", "alice"]])
def test_a_wrong_command_line(scene, args):
    done = scene.daemon.run(*args)
    assert done.returncode != 0 and done.stderr


def test_a_port_that_is_taken(scene):
    first = scene.phone("squatter", 1)
    assert first.port == 5060
    scene.write_config()
    done = scene.daemon.run("-c", scene.daemon.config_path)
    assert done.returncode == 1
    assert scene.at in done.stderr


# ---- keys

def test_a_key_is_made_at_the_first_start_and_kept(scene):
    scene.start()
    state = os.path.join(scene.folder, "state")
    path = os.path.join(state, "nonce.key")
    mode = stat.S_IMODE(os.stat(path).st_mode)
    assert mode == 0o400
    with open(path, "rb") as f:
        first = f.read()
    assert len(first) == 32 and len(set(first)) > 8
    scene.restart()
    with open(path, "rb") as f:
        assert f.read() == first


def with_key(scene, data, mode=0o400, name="my.key"):
    path = os.path.join(scene.folder, name)
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)
    return name


@pytest.mark.parametrize("data, mode", [
    (b"k" * 31, 0o400), (b"k" * 33, 0o400), (b"", 0o400),
    (b"k" * 32, 0o440), (b"k" * 32, 0o404), (b"k" * 32, 0o644),
    (b"k" * 32, 0o420), (b"k" * 32, 0o402),
])
def test_a_key_that_is_refused(scene, data, mode):
    scene.write_config(auth={"key_file": with_key(scene, data, mode)})
    for args in (["-t"], []):
        done = scene.daemon.run(*args, "-c", scene.daemon.config_path)
        assert done.returncode == 1
        assert "my.key" in done.stderr


def test_a_second_key_is_accepted_but_does_not_sign(scene):
    old, new = os.urandom(32), os.urandom(32)
    scene.start(auth={"key_file": with_key(scene, old, name="old.key")})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    kept = alice.challenges

    def change(**auth):
        scene.daemon.stop()
        scene.write_config(auth=auth)
        scene.daemon.start()
        alice.challenges = kept
        alice.answer()
        got = alice.expect(407)
        return 'stale=true' in got["Proxy-Authenticate"].lower()

    with_key(scene, new, name="new.key")
    # known, and only of another memory: stale
    assert change(key_file="new.key", second_key_file="old.key")
    # and once the old one is gone: not ours
    assert not change(key_file="new.key")
    alice.answer()
    pbx.expect("OPTIONS")


def test_a_key_file_that_is_named_is_made(scene):
    scene.start(auth={"key_file": "named.key"})
    path = os.path.join(scene.folder, "named.key")
    assert os.path.getsize(path) == 32
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o400


# ---- reload and end

def test_reload_takes_a_new_file(scene):
    scene.start(routes=[{"uri": "sip:+*@*", "to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer()
    alice.expect(404)
    scene.write_config()
    scene.daemon.reload()
    scene.log.has(event=re.compile(r"reload|config"))
    serve(alice, pbx)


def test_listeners_keep_their_names_over_reloads(scene):
    # what a request knows of its listener must not go with the old file
    scene.start(**scene.inside_listener())
    alice, pbx = scene.alice(), scene.pbx()
    for n in range(3):
        scene.daemon.reload()
        scene.log.has(event="daemon.reload", count=n + 1)
    serve(alice, pbx)
    assert scene.log.has(reason="relayed")["listener"] == "public"
    pbx.send("OPTIONS", "sip:bob@example.com")
    pbx.expect(407)                 # on the public one: a stranger


def test_reload_keeps_the_old_on_a_broken_file(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    scene.daemon.configure("realm = 5;\nbogus\n")
    scene.daemon.reload()
    said = scene.log.has(event="config.fault")
    assert said["file"] == scene.daemon.config_path
    assert int(said["line"]) in (2, 3) and "syntax" in said["reason"]
    scene.log.has(event="daemon.keep", file=scene.daemon.config_path)
    serve(alice, pbx)


def options(**more):
    return lambda scene: scene.write_config(log={"format": "json"}, **more)


def broken_file(name, text, mode=0o600, **more):
    """An option that names a file, with this in it."""
    def change(scene):
        path = os.path.join(scene.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        options(**more)(scene)
    return change


def uplink(scene):
    broken_file("pw", "open to all", 0o644)(scene)
    options(peers=[scene.pbx_peer(credentials={
        "user": "u", "realm": "r", "password_file": "pw"})])(scene)


@pytest.mark.parametrize("change, event, option, words", [
    (lambda scene: scene.daemon.configure("realm = 5;\nbogus\n"),
     "config.fault", "-", "syntax error"),
    (lambda scene: os.unlink(scene.daemon.config_path),
     "config.fault", "-", "cannot read"),
    (options(routes=[{"to": 'x" event=daemon.reload\\'}]), "config.fault",
     "routes.to", "daemon.reload"),
    (options(frobnicate=1), "config.fault", "frobnicate", "unknown option"),
    (options(limits={"ban_after": 0}), "config.fault", "limits.ban_after",
     "out of range"),
    (options(limits={"ban_never": ["10.0.0.1/8"]}), "config.fault",
     "limits.ban_never", "host bits"),
    (options(routes=[{"to": "nobody"}]), "config.fault", "routes.to",
     "nobody"),
    (options(guard={"scanners": "no such list"}), "config.fault",
     "guard.scanners", "No such file"),
    (broken_file("nul.list", "a\0b", guard={"scanners": "nul.list"}),
     "config.fault", "guard.scanners", "NUL"),
    (uplink, "config.fault", "peers.credentials.password_file", "chmod 0400"),
    (broken_file("ca.pem", "none", tls={"ca": "ca.pem"}), "tls.keep",
     "tls.ca", "ca.pem")])
def test_a_reload_that_fails_is_said_by_events(scene, change, event, option,
                                               words):
    """Each names file, line, option and reason, and JSON stays JSON."""
    scene.start(log={"format": "json"})
    change(scene)
    scene.daemon.reload()
    scene.log.has(event="daemon.keep", file=scene.daemon.config_path)
    said = scene.log.has(event=event, option=option, level="error",
                         reason=re.compile(words))
    assert said["file"] == scene.daemon.config_path
    if words != "cannot read":
        assert int(said["line"]) > 0
    for line in scene.log.text().splitlines():
        assert "event" in json.loads(line), line
    assert not scene.log.find(event="daemon.reload")


def test_a_users_file_with_a_fault_is_said_by_an_event(scene):
    scene.start(log={"format": "json"})
    path = scene.write_users(["alice:example.com:md5=short\n"])
    said = scene.log.has(event="users.keep")
    assert said["file"] == path and said["line"] == "1" and said["reason"]
    for line in scene.log.text().splitlines():
        assert "event" in json.loads(line), line


def test_warnings_are_events_where_it_serves(scene):
    odd = {"ban_time": "2h", "ban_max": "1h"}
    scene.start(limits=odd, log={"format": "json"})
    for count in (1, 2):
        said = scene.log.has(event="config.warning", level="warning",
                             option="limits.ban_time", count=count)
        assert said["file"] == scene.daemon.config_path
        assert int(said["line"]) > 1 and "ban_max" in said["reason"]
        scene.daemon.reload()
    for line in scene.log.text().splitlines():
        assert "event" in json.loads(line), line


def test_a_start_that_fails_is_said_as_by_the_check(scene):
    """Nobody knows then how the log is to look."""
    scene.write_users()
    scene.daemon.configure(SMALLEST + "frobnicate = 1;\n")
    done = scene.daemon.run("-c", scene.daemon.config_path)
    assert done.returncode == 1
    assert complaints(scene, done)[0][:2] == (6, "frobnicate")


def test_sigterm_ends_with_open_calls(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    scene.daemon.stop()


def test_start_and_stop_without_traffic(scene):
    scene.start()
    scene.log.has(event="daemon.start")
    scene.daemon.stop()
    scene.log.has(event="daemon.stop")


def test_every_word_of_the_log_is_explained(scene):
    scene.write_config()
    done = scene.daemon.run("-L")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    words = [x for x in lines if re.match(
        r"(event|reason|event=transport\.refuse reason)=[a-z0-9.-]+$", x)]
    said = [x for x in lines if re.match(r"    .+\.$", x)]
    assert len(words) == len(said) == len(set(words)) == len(lines) / 2
    assert "reason=replay" in words and "event=authn.replay" in words
    assert "event=transport.refuse reason=tls-revoked" in words
    check.manual_explains(x.split()[1].removeprefix("reason=")
                          for x in words if " reason=" in x)
