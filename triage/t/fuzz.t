#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# heddle fuzz, the fuzz targets, and the build that OSS-Fuzz asks for.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $heddle = abs_path($ENV{HEDDLE} // 'build/heddle');
my $targets = dirname($heddle) . '/fuzz';
my ($rc, $out, $err);

# Run any command: exit status, everything it said.
sub together {
	my (@cmd) = @_;
	my $pid = open my $p, '-|' // die;

	if (!$pid) {
		open STDERR, '>&', \*STDOUT;
		exec @cmd or die;
	}
	local $/;
	my $said = <$p> // '';
	close $p;
	return ($? & 127 ? 'signal ' . ($? & 127) : $? >> 8, $said);
}

sub files { return sort map { basename $_ } glob shift }

# --- from an empty corpus
($rc, $out, $err) = heddle('fuzz', 'canary_abba', '-runs=20000', '-seed=1',
	"--out=$dir/c");
my $r = result($out);
is $rc, 1, 'fuzz: verdicts found';
is $r->{schedules}, 20000, 'each run was counted';
like $r->{signatures}, qr/\bdeadlock:/, 'the canary is found: its deadlock';
like $r->{signatures}, qr/\bcircular:a:b:c\b/, '... and its lock order';
is $r->{verdicts}, 2, '... and nothing else';
cmp_ok $r->{first}, '<', 1000, '... soon';
is $err, '', 'nothing on stderr that is no terminal';
like $out, qr/proved minimal/, 'findings are minimised';

my @bin = glob "$dir/c/*.bin";
is scalar @bin, 2, 'an input is saved for each';
for my $file (@bin) {
	my ($want) = $file =~ /planted\.(\w+)/;
	($rc, $out) = heddle('replay', $file, '--scenario=canary_abba:planted');
	is $rc, 1, "$want: the input replays";
	like $out, qr/\b$want\b/, '... with its verdict';
	($rc, $out) = heddle('min', $file, '--scenario=canary_abba:planted',
		"--want=$want", '-o', "$dir/min.sched");
	is $rc, 0, '... and is minimised';
	($rc, $out) = heddle('show', "$dir/min.sched");
	like $out, qr/^heddle: .*^ *ab +/ms, '... and is shown';
}
for my $file (glob "$dir/c/*.sched") {
	($rc) = heddle('replay', '--twice', '--check', $file);
	is $rc, 0, basename($file) . ' replays as recorded';
}
is scalar(() = glob "$dir/c/.*[0-9]"), 0, 'no temporary file is left';

# --- the same seed, the same corpus; the next start goes on
heddle('fuzz', 'fault_vs_munmap:v10', '-runs=5000', '-seed=7', "--out=$dir/$_")
	for qw(one two);
my @corpus = files("$dir/one/corpus/*");
cmp_ok scalar @corpus, '>', 5, 'feedback grows a corpus';
is_deeply [files("$dir/two/corpus/*")], \@corpus, 'the same seed, the same one';
($rc, $out) = heddle('fuzz', 'fault_vs_munmap:v10', '-runs=5000',
	"--out=$dir/one");
is $rc, 0, 'v10 is clean, again';
like slurp("$dir/one/libfuzzer.log"), qr/INITED .* corp: [1-9]\d/,
	'... and began with what was there';
($rc, $out) = together($heddle, 'fuzz', 'fault_vs_munmap:v10', '-merge=1',
	"$dir/merged", "$dir/one/corpus") if mkdir "$dir/merged";
is $rc, 0, '-merge=1 is passed on';
my @merged = files("$dir/merged/*");
cmp_ok scalar @merged, '>', 5, '... and merges';
mkdir "$dir/$_" for qw(bad bad2);
($rc) = together($heddle, 'fuzz', 'canary_abba', '-runs=2000', '-seed=1',
	"--out=$dir/canary", "$dir/bad");
($rc, $out) = together($heddle, 'fuzz', 'canary_abba', '-merge=1', "$dir/bad2",
	"$dir/bad");
my @bad = files("$dir/bad2/*");
cmp_ok scalar @bad, '>', 1, '... what shows verdicts, too' or diag $out;

# --- the job that heddle was made for
($rc, $out) = heddle('fuzz', 'fault_vs_munmap:v6', '-runs=200000', '-seed=1',
	'--limit=1', "--out=$dir/v6");
like result($out)->{signatures}, qr/\bheld-at-user:vm_lock\b/,
	'v6: held-at-user within 200,000 schedules';
like $out, qr/^result: .*\bdetached-read-lock:/m, '... and detached-read-lock';
($rc, $out) = heddle('fuzz', 'fault_vs_munmap:v6', '-runs=20000', '-seed=1',
	'--limit=1', '--want=detached-read-lock', "--out=$dir/want");
is_deeply [map { /v6\.(.*)\.bin/ } files("$dir/want/*.bin")],
	['detached-read-lock-vm_area_struct'], '--want: that one alone';

# --- several processes
($rc, $out) = heddle('fuzz', 'canary_abba', '-runs=3000', '-jobs=2',
	'-workers=2', "--out=$dir/jobs");
is $rc, 1, '-jobs=2';
is result($out)->{verdicts}, 2, '... each signature once';
is result($out)->{schedules}, 6000, '... and the runs of both';
unlink glob 'fuzz-[01].log';

# --- nowhere to write
($rc, $out, $err) = heddle('fuzz', 'canary_abba', '-runs=5000',
	'--out=/proc/no/where');
is $rc, 1, 'no room on disk: still found';
like $err, qr{cannot make /proc/no/where}, '... it says so';
like $out, qr/^heddle schedule 1\nscenario canary_abba:planted$/m,
	'... and prints what it could not save';

# --- Ctrl-C, and the death of the supervisor
sub start {
	my ($to) = @_;
	my $pid = fork // die;

	if (!$pid) {
		open STDOUT, '>', "$dir/.int" or die;
		open STDERR, '>&', \*STDOUT;
		exec $heddle, 'fuzz', 'canary_abba', "--out=$to" or die;
	}
	for (1 .. 100) {
		last if glob "$to/*deadlock*.bin";
		select undef, undef, undef, 0.1;
	}
	return $pid;
}
my $pid = start("$dir/int");
kill 'INT', $pid;
waitpid $pid, 0;
is $? >> 8, 1, 'Ctrl-C: verdicts so far';
like slurp("$dir/.int"), qr/^result: .*\bverdicts=2\b/m, '... and the result';
$pid = start("$dir/kill");
my ($child) = slurp("/proc/$pid/task/$pid/children") =~ /(\d+)/;
kill 'KILL', $pid;
waitpid $pid, 0;
select undef, undef, undef, 0.5;
unlike slurp("/proc/$child/stat"), qr/\) [^ZX]/, 'a killed supervisor takes the target along';
($rc) = heddle('replay', glob("$dir/kill/*deadlock*.bin"),
	'--scenario=canary_abba');
is $rc, 1, '... and what was saved is valid';

# --- wrong usage
for my $wrong ([], ['nothing'], ['abba:no'], ['abba', '--frob'],
	['abba', '--want=nonsense'], ['abba', '--limit=x']) {
	($rc, $out, $err) = heddle('fuzz', @$wrong);
	is $rc, 2, "fuzz @$wrong: usage";
	is scalar(() = $err =~ /\n/g), 1, '... one line';
}

# --- a target alone, as under a foreign engine
($rc, $out) = together("$targets/canary_abba_fuzzer", '-runs=10000',
	"-artifact_prefix=$dir/");
is $rc, 77, 'alone, the first verdict ends it';
like $out, qr/^heddle: possible circular locking dependency: a, b, c/m,
	'... with its title';
my ($token) = $out =~ /^(DEDUP_TOKEN: .*)$/m;
is $token, 'DEDUP_TOKEN: circular a b c', '... and the token';
my ($crash) = glob "$dir/crash-*";
($rc, $out) = together("$targets/canary_abba_fuzzer", $crash);
like $out, qr/^\Q$token\E$/m, 'the crash file shows it again';
($rc, $out) = together("$targets/canary_abba_fuzzer", '--variant=no', '-runs=1');
is $rc, 2, 'no such variant';
for (['--mutator=bytes', 1], ['--mutator=races', 0]) {
	my ($flag, $bytes) = @$_;
	($rc, $out) = together("$targets/canary_abba_fuzzer", $flag, '-seed=1',
		'-runs=2000', "--heddle-findings=$dir");
	is $rc, 0, $flag;
	is $out =~ /NEW .* (?:EraseBytes|InsertByte|ChangeBi[tn])/ ? 1 : 0,
		$bytes, '... ' . ($bytes ? "libFuzzer's mutations" : 'ours');
}

# --- the contract of OSS-Fuzz
@ENV{qw(OUT WORK CC CXX CFLAGS LIB_FUZZING_ENGINE)} = ("$dir/oss", "$dir/work",
	'clang-14', 'clang++-14', '-O1 -g -fsanitize=fuzzer-no-link',
	'-fsanitize=fuzzer');
($rc, $out) = together('sh', 'fuzz/build.sh');
is $rc, 0, 'fuzz/build.sh' or diag $out;
($rc, $out) = together("$dir/oss/fault_vs_munmap-v6_fuzzer", '-runs=100000',
	"-artifact_prefix=$dir/");
like $out, qr/^DEDUP_TOKEN: /m, 'its targets know their variant';
is scalar(() = $out =~ /Extra Counters/g), 1, '... and their feedback';

done_testing;
