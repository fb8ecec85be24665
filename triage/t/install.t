#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# make install: does what is installed work where it lies, without the tree
# that it was built from?  (triage/install.mk, heddle.pc.in, completion.bash)
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename;
use File::Find;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $root = abs_path("$FindBin::Bin/../..");
my $build = dirname(abs_path($ENV{HEDDLE} // 'build/heddle'));
my @make = ('make', '-s', '-C', $root, 'B=' . basename($build));
plan skip_all => "$build/fuzz is not built"
	unless -x "$build/fuzz/heddle_fuzzer";

sub files {
	my ($top) = @_;
	my @found;
	find(sub { push @found, $File::Find::name =~ s/^\Q$top\E\///r if -f },
		$top);
	return sort @found;
}

# --- what is put where; nothing is built, for others run what is there
my $dest = "$dir/dest";
my ($rc, $out, $err) = run(@make, '-q', 'all');
is $rc, 0, 'the build is up to date' or done_testing, exit 1;
($rc, $out, $err) = run(@make, 'install', "DESTDIR=$dest", 'prefix=/usr');
is "$rc$err", 0, 'make install' or BAIL_OUT($err);
my @files = files($dest);
is join("\n", grep { !m{^usr/(include|share/man)/} } @files),
	join("\n", qw(usr/bin/heddle usr/bin/heddle-cc usr/bin/heddle-mutate
	usr/lib/heddle/MutateSites.pm usr/lib/heddle/calls
	usr/lib/heddle/fuzz.o usr/lib/heddle/heddle.o
	usr/lib/heddle/heddle_fuzzer usr/lib/heddle/names.o
	usr/lib/heddle/stubs usr/lib/pkgconfig/heddle.pc
	usr/share/bash-completion/completions/heddle)), '... programs, parts';
is join("\n", map { s{^usr/}{}r } grep { m{^usr/include/} } @files),
	join("\n", map { "include/$_" } files("$root/include")), '... headers';
is join("\n", grep { m{^usr/share/man/} } @files),
	join("\n", sort map { /(\d)$/ && "usr/share/man/man$1/" . basename $_ }
		glob "$root/triage/man/*"), '... manual pages';

# --- no word of the tree, but for what debuggers are told
for my $file (@files) {
	my $path = "$dest/$file";
	if ($file =~ m{/bin/heddle$|\.o$|_fuzzer$}) {
		run('objcopy', '--strip-debug', $path, "$dir/stripped");
		$path = "$dir/stripped";
	}
	next if index(slurp($path), $root) < 0;
	fail "$file names the tree";
}

# --- it works elsewhere; where that can be done, with the tree hidden
my $away = "$dir/away";
rename "$dest/usr", $away or die;
my $bin = "$away/bin";
my @hidden = ('unshare', '-rm', 'sh', '-c',
	'mount -t tmpfs none "$0" && exec "$@"', $root);
@hidden = () if (run('sh', '-c', '"$@" 2>&1', '-', @hidden, 'true'))[0];
diag 'the tree cannot be hidden here (unshare)' unless @hidden;
sub away { return run(@hidden, @_) }
my ($abba, $gate) = ("$root/src/scenario/abba.c", "$FindBin::Bin/gate.c");
spew("$dir/mine.c", slurp($abba) =~ s/abba/mine/gr);
spew("$dir/gate.c", slurp($gate));
spew("$dir/program.c", <<'END');
#include <assert.h>
#include <pthread.h>
static int x;
static void *add(void *arg) { return x++, arg; }
int main(void)
{
	pthread_t t;
	pthread_create(&t, NULL, add, NULL);
	add(NULL);
	pthread_join(t, NULL);
	assert(x == 2);
}
END
chdir $dir or die;
is((away('test', '-e', "$root/Makefile"))[0], 1, 'the tree is out of reach')
	if @hidden;

($rc, $out) = away("$bin/heddle", 'run', 'abba', '--want=deadlock');
is "$rc " . result($out)->{signatures}, '1 circular:a:b,deadlock:a:b', 'heddle run';
($rc, $out, $err) = away("$bin/heddle", 'fuzz', 'lost_wakeup:fixed',
	'-runs=300', '-seed=1');
is "$rc " . (result($out)->{schedules} // $err), '0 300', 'heddle fuzz';
($rc, $out, $err) = away("$bin/heddle-cc", 'mine.c', '--fuzz', '-o', 'mine');
is "$rc$out$err", 0, 'heddle-cc of a scenario';
($rc, $out) = away('./mine', 'run', '--want=deadlock');
is "$rc " . result($out)->{signatures}, '1 circular:a:b,deadlock:a:b', '... runs';
like $out, qr/^ first +second\n/m, '... is drawn';
($rc, $out) = away(qw(./mine fuzz :fixed -runs=300 -seed=1));
is "$rc " . result($out)->{schedules}, '0 300', '... is fuzzed';
($rc, $out, $err) = away("$bin/heddle-cc", 'program.c');
is "$rc$out$err", 0, 'heddle-cc of a program';
($rc, $out) = away('./program', 'run', '--want=assert');
is $rc, 1, '... its assertion fails';
($rc, $out, $err) = away("$bin/heddle", 'mutate', 'gate.c',
	'--operator=no-wakeup');
is "$rc " . (result($out)->{found} // $err), '0 1', 'heddle mutate';

# --- heddle.pc: another build than heddle-cc's comes to the same
SKIP: {
	$ENV{PKG_CONFIG_PATH} = "$away/lib/pkgconfig";
	skip 'no pkg-config here', 4 unless grep { -x "$_/pkg-config" }
		split /:/, $ENV{PATH};
	spew('mine.mk', <<'END');
pc = $(shell pkg-config $(1) heddle)
var = $(call pc,--variable=$(1))
own: mine.c
	$(call var,model_cc) $(call var,model_cflags) $(call pc,--cflags) -c mine.c
	$(call var,model_objcopy) mine.o
	cc -o own mine.o $(call pc,--libs)
END
	($rc, $out, $err) = away('make', '-s', '-f', 'mine.mk');
	is "$rc$out$err", 0, 'a Makefile with pkg-config';
	($rc, $out) = away(qw(./own run --want=deadlock));
	is "$rc " . result($out)->{signatures}, '1 circular:a:b,deadlock:a:b', '... runs';
	($rc, $out) = away(qw(pkg-config --variable=heddle_cc heddle));
	chomp $out;
	is abs_path($out), "$bin/heddle-cc", '... finds heddle-cc';
	($rc, $out) = away(qw(pkg-config --modversion heddle));
	($rc, my $version) = away("$bin/heddle", '--version');
	is "heddle $out", $version, '... and the version';
}

# --- bash completion: bash gives the words cut at = and :
sub completes {
	my ($words, $what) = @_;
	($rc, $out, $err) = away('bash', '-c', <<'END', '-', $away, @$words);
PATH=$1/bin:$PATH
. "$1/share/bash-completion/completions/heddle"
COMP_WORDS=(heddle "${@:2}")
COMP_CWORD=$(($# - 1))
_heddle && printf '%s\n' "${COMPREPLY[@]}"
END
	is $err, '', "completion: @$words";
	return [ sort split /\n/, $out ];
}

my @verbs = (away("$bin/heddle", '--help'))[1] =~ /^  ([a-z]+)  /mg;
is_deeply completes(['']), [ sort @verbs, '--help', '--version' ], '... verbs';
for my $verb (@verbs) {
	($rc, $out) = away("$bin/heddle", $verb, '--help');
	my %option = map { s/\W+$//r => 1 } '--help',
		$out =~ /(--[a-z][-a-z]*)/g;
	is_deeply [ map { s/=$//r } @{completes([ $verb, '--' ])} ],
		[ sort keys %option ], '... its options';
}
($rc, $out) = away("$bin/heddle", 'run', '--help');
my ($strategies) = $out =~ /--strategy=NAME +(.*?)\n  -/s;
is_deeply completes([ qw(run --strategy =), '' ]), completes([ qw(run --strategy =) ]),
	'... behind the =';
is_deeply completes([ qw(run --strategy =) ]),
	[ sort map { s/ \(.*//r } split /,\s*/, $strategies ], '... strategies';
is_deeply completes([qw(run canary_a)]), [qw(canary_abba canary_abba:planted)],
	'... scenarios';
is_deeply completes([qw(explore abba :)]), [qw(buggy fixed)], '... variants';
is_deeply completes([qw(replay --scenario = abba : f)]), ['fixed'],
	'... variants in a value';
is_deeply completes([qw(min x --want = use)]), ['use-after-free'],
	'... verdicts';
is_deeply completes([qw(replay program)]), [qw(program program.c)], '... files';
($rc, $out) = away("$bin/heddle", 'show', '--help');
my ($formats) = $out =~ /--format=FORMAT +(.*?)\n +--/s;
is_deeply completes([qw(show --format =)]),
	[ sort $formats =~ /^ *([a-z]+) /mg ], '... formats';

# --- nothing is left
chdir '/';
rename $away, "$dest/usr" or die;
($rc, $out, $err) = run(@make, 'uninstall', "DESTDIR=$dest", 'prefix=/usr');
is "$rc$err" . join(' ', files($dest)), 0, 'make uninstall';
done_testing;
