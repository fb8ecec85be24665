#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Is the manual true?  Verbs, options, verdicts, words of schedules and names of
# the API are those of the programs, in both directions; and the examples are
# run.  A new verb or option needs its place in triage/man/heddle.1.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $root = abs_path("$FindBin::Bin/../..");
my $build = dirname(abs_path($ENV{HEDDLE} // 'build/heddle'));
my %page = map { basename($_) => slurp($_) } glob "$root/triage/man/*";
is join(' ', sort keys %page),
	'heddle-cc.1 heddle-scenario.7 heddle-schedule.5 heddle.1', 'the pages';

# Both lists name the same.
sub same {
	my ($what, $real, $manual) = @_;
	my %real = map { $_ => 1 } @$real;
	my %manual = map { $_ => 1 } @$manual;
	is join(' ', grep { !$manual{$_} } sort keys %real), '',
		"$what: all are in the manual";
	is join(' ', grep { !$real{$_} } sort keys %manual), '',
		"$what: all in the manual are real";
}

sub long_options {
	my ($text) = @_;
	return grep { !/^(help|version)$/ } $text =~ /(?<!\S)\W?--([a-z][-a-z]*)/g;
}

sub long_flags {
	my ($roff) = @_;
	return grep { !/^(help|version)$/ } $roff =~ /\bFl -([a-z][-a-z]*)/g;
}

# --- heddle(1): a subsection for each verb, with its options
my ($verbs) = $page{'heddle.1'} =~ /^\.Sh VERBS\n(.*?)^\.Sh /ms;
my %section = $verbs =~ /^\.Ss (\S+)\n(.*?)(?=^\.Ss|\z)/gms;
my @verbs = (heddle('--help'))[1] =~ /^  ([a-z]+)  /mg;
same('verbs', \@verbs, [ keys %section ]);
for my $verb (@verbs) {
	my (undef, $help) = heddle($verb, '--help');
	same("heddle $verb", [ long_options($help) ],
		[ long_flags($section{$verb} // '') ]);
}
my ($formats) = (heddle('show', '--help'))[1] =~ /--format=FORMAT +(.*?)\n +--/s;
same('formats', [ $formats =~ /^ *([a-z]+) /mg ],
	[ ($section{show} =~ /^\.It Fl -format (.*)/m)[0] =~ /Cm (\w+)/g ]);
my ($rc, $out) = run("$build/heddle-cc", '--help');
same('heddle-cc', [ long_options($out) ], [ long_flags($page{'heddle-cc.1'}) ]);

my ($verdicts) = $page{'heddle.1'} =~ /^\.Sh VERDICTS\n(.*?)^\.Sh /ms;
my %title = $verdicts =~ /^\.It Cm (\S+)\n(.*)\n/mg;
same('verdicts', [ map { s/ +/ /r } split /\n/,
	(heddle('list', '--verdicts'))[1] ],
	[ map { "$_ $title{$_}" } keys %title ]);

# --- heddle-schedule(5): the words that the reader compares with
my $reader = slurp("$root/triage/sched_read.c");
my ($edits) = slurp("$root/src/engine/schedule.c") =~ /names\[.*?\{(.*?)\};/s;
my %kind = map { $_ => 1 } $edits =~ /"([^"]+)"/g;
my %word = map { $_ => 1 } $reader =~
	/(?:strcmp\((?:r->)?word(?:\[[^\]]*\])?|header\(r),\s*"([a-z]+)"/g;
$word{$_} = 1 for grep { $reader =~ /\bHD_EDIT_\U$_\E\b/ } keys %kind;
cmp_ok scalar keys %word, '>=', 20, 'the reader has words';
my %said = map { $_ => 1 } map { split ' ' }
	$page{'heddle-schedule.5'} =~ /\b(?:Ic|Cm) ([a-z][-a-z ,]*)/g;
is join(' ', grep { !$said{$_} } sort keys %word), '',
	'words of schedules: all are in the manual';
my @ic = map { split ' ' } $page{'heddle-schedule.5'} =~ /\bIc ([a-z ]+)/g;
is join(' ', grep { !$word{$_} } sort @ic), '',
	'words of schedules: all in the manual are real';
($rc, $out) = heddle('run', '--help');
my ($strategies) = $out =~ /--strategy=NAME +portfolio \(default\),(.*?)\n  -/s;
for my $page (qw(heddle-schedule.5 heddle.1)) {
	my %cm = map { $_ => 1 } map { split /[ ,]+/ }
		$page{$page} =~ /\bCm ([a-z][-a-z ,]*)/g;
	is join(' ', grep { !$cm{$_} } $strategies =~ /[a-z][-a-z]+/g), '',
		"$page: the strategies";
}

# --- heddle-scenario(7): all that heddle.h and opponents.h offer
my $scenario = $page{'heddle-scenario.7'};
my $api = slurp("$root/include/heddle/heddle.h");
$api =~ s{/\*.*?\*/}{}gs;
my @names = grep { !/^(HEDDLE_HEDDLE_H|hd__mark)$/ }
	$api =~ /\b(heddle_\w+(?=\()|HEDDLE_\w+|HD_\w+|hd_\w+(?=\())/g;
my %type = $api =~ /^struct (heddle_\w+) \{(.*?)^\};/gms;
my @fields;
for my $type (sort keys %type) {
	ok $scenario =~ /Vt (struct )?$type\b/, "struct $type";
	push @fields, map { /(\w+)(?:\)\([^;]*\)|\[\w+\])?$/ }
		map { split /,/ } split /;\s*/, $type{$type};
}
cmp_ok scalar @fields, '>=', 30, 'the API has fields';
is join(' ', grep { $scenario !~ /(?:Fa|,) \Q$_\E\b/ } sort @fields), '',
	'fields: all are in the manual';
is join(' ', grep { $scenario !~ /\b(?:Fn|Dv|Vt) "?(?:struct )?\Q$_\E\b/ }
	sort @names), '', 'heddle.h: all names are in the manual';
my $all = join '', map { slurp($_) } glob "$root/include/heddle/*.h";
is join(' ', grep { $all !~ /\b\Q$_\E\b/ } $scenario =~
	/\b(?:Fn|Dv) (heddle_\w+|HEDDLE_\w+|HD_\w+|hd_\w+)/g), '',
	'... and those in the manual are real';
my ($list) = $scenario =~ /^There are (.*?)\.$/ms;
same('opponents', [ slurp("$root/include/heddle/opponents.h") =~
	/^\tX\((\w+)\)/mg ], [ grep { $_ ne 'and' } $list =~ /\w+/g ]);

# --- the examples, in the order of each page: "$ cat FILE" is FILE, another
# line with a $ is run, and each line below it must be in its output, in this
# order
sub literal {
	my ($roff) = @_;
	return map { s/^\\&//mgr } map { s/\\e/\\/gr }
		$roff =~ /^\.Bd -literal[^\n]*\n(.*?)^\.Ed$/gms;
}

sub shows {
	my ($page, $command, @lines) = @_;
	my ($rc, $out, $err) = run('sh', '-c', $command);
	my ($at, $missing) = (0, '');
	for (grep { /\S/ } @lines) {
		my $found = index "\n$out", "\n$_", $at;
		$missing ||= $_ if $found < 0;
		$at = $found + 1 if $found >= 0;
	}
	is $missing, '', "$page: $command" or diag $err;
	return $out;
}

$ENV{PATH} = "$build:$ENV{PATH}";
for my $page (sort keys %page) {
	mkdir "$dir/$page" or die;
	chdir "$dir/$page" or die;
	my $commands = 0;
	for (map { split /^(?=\$ )/m } literal($page{$page})) {
		my ($command, $rest) = /\A\$ ([^\n]*)\n(.*)\z/s or next;
		if ($command =~ /^cat (\S+)$/) {
			spew($1, $rest);
			next;
		}
		shows($page, $command, split /\n/, $rest);
		$commands++;
	}
	cmp_ok $commands, '>=', 2, "$page: has examples";
}
($rc, $out) = run('heddle', 'replay', '--check', '--twice',
	"$dir/heddle-schedule.5/deadlock.sched");
is $rc, 0, 'heddle-schedule.5: its schedule replays as it is recorded'
	or diag $out;
($rc, $out) = run("$dir/heddle-scenario.7/counter", 'explore', '--check');
is $rc, 0, 'heddle-scenario.7: its scenario is as it declares' or diag $out;
chdir '/';

# --- form: pages of ours refer to each other before they are installed
SKIP: {
	skip 'no mandoc here', 1 unless grep { -x "$_/mandoc" } split /:/, $ENV{PATH};
	($rc, $out) = run('mandoc', '-Tlint', map { "$root/triage/man/$_" }
		sort keys %page);
	$out =~ s/^.*referenced manual not found: Xr heddle.*\n//mg;
	is $out, '', 'mandoc -Tlint';
}
done_testing;
