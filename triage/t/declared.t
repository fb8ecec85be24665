#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What scenarios declare: do list and show say it, do the searches go by it, and
# does explore SCENARIO --check answer the questions and notice what is wrong?
# declared.c has what the scenarios of the tree have not.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename 'dirname';
use FindBin;
use lib $FindBin::Bin;
my $heddle;
BEGIN { $heddle = Cwd::abs_path($ENV{HEDDLE} // 'build/heddle') }
use Heddle;
use JSON::PP;
use Test::More;

# --- the scenarios of the tree -----------------------------------------------
my ($rc, $out, $err) = heddle('list', '--json');
my @tree = @{decode_json($out)};
my %of_seed;
for my $s (grep { $_->{seed} } @tree) {
	push @{$of_seed{$s->{seed}}}, $s;
	like $s->{seed}, qr/^00[0-4]$/, "$s->{name}: one of the five mails";
	ok @{$s->{questions}} && $s->{source}, '... with questions and a source';
	ok $s->{copied} && $s->{simplified} && $s->{not_modelled},
		'... and what of the code is modelled how';
	my %variant = map { $_->{name} => $_ } @{$s->{variants}};
	for my $q (@{$s->{questions}}) {
		my @lost = grep { !$variant{$_} } @{$q->{evidence}};
		ok $q->{answer} && @{$q->{evidence}} && !@lost,
			"... $q->{question}" or diag "no variant: @lost";
	}
	# those broken on purpose are in no kernel, and say of what they are
	my @bare = map { $_->{name} } grep { !$_->{kernel} &&
		$_->{source} eq $s->{source} } @{$s->{variants}};
	is "@bare", '', '... each variant has a kernel or a source of its own';
}
ok $of_seed{'004'}, 'seed 004 is there';
for my $s (grep { $_->{bug} } @tree) {
	# others are broken on purpose
	my @bare = map { $_->{name} } grep { !$_->{kernel} &&
		!@{$_->{expect}} } @{$s->{variants}};
	is "@bare", '', "$s->{name}: clean variants are of some release";
}

# --- explore SCENARIO --check, on the mail that heddle comes from
($rc, $out, $err) = heddle(qw(explore fault_vs_munmap --check));
is "$rc$err", '0', 'fault_vs_munmap is as declared';
my @questions = $out =~ /^question \d: (.*)$/mg;
is scalar(@questions), scalar @{$of_seed{'004'}[0]{questions}},
	'... the questions are asked';
like $out, qr/^v10 +clean, complete, no bound$/m, '... a clean variant';
like $out, qr/^v7 +data-race 2, circular 4, freed 4, held-at-user 5$/m,
	'... a buggy one, verdicts by their number';
like $out, qr/^answer 1: Yes\. .*\n(?:  .*\n)*?  v6 +data-race 2, held-at-user 3/m,
	'... an answer, and its evidence';
like $out, qr/question 1.*^v6 .*^answer 1.*^relative to: seq/ms,
	'... question, search, answer, and what that is relative to';
is join(' ', map { result($out)->{$_} } qw(scenario complete expected differ)),
	'fault_vs_munmap yes yes 0', '... the result';
is scalar(grep { length > 80 && !/^result/ } split /\n/, $out), 0,
	'... in 80 columns';
($rc, $out) = heddle(qw(explore fault_vs_munmap:v7 --check));
is join(' ', $rc, map { result($out)->{$_} } qw(bound expected)), '0 5 yes',
	'explore SCENARIO:VARIANT --check takes the bound that is declared';
for (['--want=deadlock'], ["--out=$dir/x"], ['--report']) {
	($rc, $out, $err) = heddle(qw(explore abba --check), @$_);
	ok $rc eq '2' && $err =~ /\A[^\n]*is for one VARIANT[^\n]*\n\z/,
		"... not for all of them: @$_" or diag $err;
}

# --- a program of one's own
my $cc = dirname($heddle) . '/heddle-cc';
if (!-x $cc) {
	done_testing;
	exit;
}
spew("$dir/declared.c", slurp("$FindBin::Bin/declared.c"));
chdir $dir or die;
is system("$cc declared.c -o declared 2>&1"), 0, 'builds';
sub own { my $out = `./declared @_ 2>.err`; return ($? >> 8, $out) }

# --- list
($rc, $out) = own('list');
like $out, qr/\A== seed 000: \[PATCH 1\/1\] make a pair, 1 Jan 2024\n\npair: /,
	'list: the mails first';
my ($bugs) = $out =~ /^== library of real bugs\n\n(.*)^== examples\n\nwrong:/ms;
like $bugs, qr/\Akilled_before \(CVE-0000-1\): .*^killed \(CVE-0000-2\): /ms,
	'... then real bugs by release, then the rest';
like $out, qr/^  :leaks    6\.4-6\.5  the error path forgets the.*  leak 0$/m,
	'... a line has name, kernel, title and verdicts';
like $out, qr/^  :unasked  6\.4-6\.5  the same .*  clean to 1 preemption$/m,
	'... or clean and the bound';
like $out, qr/^  :unlocks  5\.15  unlocks first, and .*\.\.   clean$/m,
	'... a long title is cut';
is scalar(grep { length > 80 } split /\n/, $out), 0, '... to 80 columns';
($rc, $out) = own('list --json');
my %own = map { $_->{name} => $_ } @{decode_json($out)};
is_deeply [ @{$own{pair}}{qw(seed bug copied simplified different)} ],
	[ '000', undef, 'the order of the two allocations', 'a part is a word',
	  'nothing is freed at the end but what was made' ], 'list --json';
is_deeply $own{pair}{questions}, [ {
	question => 'Does the error path give back what it has?',
	answer => 'No: if the second allocation fails, the first part is left.',
	evidence => [ 'leaks', 'fixed' ] } ], '... the questions';
is_deeply [ map { [ @$_{qw(source kernel fail signals)} ] }
	    @{$own{pair}{variants}}[0, 2] ],
	[ [ '[PATCH 1/1] make a pair, 1 Jan 2024', '6.4-6.5', 1, 0 ],
	  [ '[PATCH v2 1/1] free the first part', '6.6', 2, 0 ] ],
	'... and variants, whose source is the scenario\'s if they have none';

# --- show
($rc, $out) = own('show pair');
is $rc, 0, 'show SCENARIO';
my @in_order = ('seed: 000', 'source: [PATCH 1/1] make a pair, 1 Jan 2024',
	'tasks: maker', 'question: Does the error', 'answer: No: if',
	'evidence: leaks, fixed', '  leaks: the error', '    kernel: 6.4-6.5',
	'    with: failures up to 1', '    expected: leak 0',
	'    expected: clean to 1 preemption',
	'    source: [PATCH v2 1/1] free the first part',
	'    expected: clean, without a bound', 'copied in logic: the order',
	'simplified: a part', 'deliberately different: nothing',
	'not modelled: memory pressure');
my $at = 0;
for (@in_order) {
	my $next = index "\n$out", "\n$_", $at;
	cmp_ok $next, '>=', 0, "... $_" or last;
	$at = $next + 1;
}
($rc, $out) = own('show pair:fixed');
is join(' ', $out =~ /^  (\w+): /mg), 'fixed',
	'show SCENARIO:VARIANT: that variant alone';
($rc, $out) = own('show --format=json pair:fixed');
my $one = decode_json($out);
is "$one->{name} @{[map { $_->{name} } @{$one->{variants}}]}", 'pair fixed',
	'... as JSON';
($rc, $out) = own('show --format=mail pair');
is scalar(grep { length > 72 } split /\n/, $out), 0, '... as mail: 72 columns';
for (['nothing', 'nothing'], ['pair:nothing', 'nothing'],
     ['./pair', '\./pair']) {
	($rc, $out) = own("show $_->[0]");
	$err = slurp('.err');
	ok $rc == 2 && $out eq '' && $err =~ /\A[^\n]*(?:$_->[1])[^\n]*\n\z/,
		"show $_->[0]: one line on stderr" or diag $err;
}

# --- failures and signals, as declared
($rc, $out) = own('run pair:leaks --out=found');
is $rc, 1, 'run: a failure that is declared comes';
like $out, qr/^heddle: memory leak/, '... and shows the leak';
($rc) = own('replay --check --twice found/leak*.sched');
is $rc, 0, '... which replays';
($rc) = own('min found/leak*.sched');
is $rc, 0, '... and shrinks';
($rc) = own('run pair:leaks --fail=0 --schedules=200');
is $rc, 0, '--fail=0: it does not come';
($rc) = own('run pair:unasked --schedules=200');
is $rc, 0, 'nor where it is not declared';
($rc) = own('run pair:unasked --fail');
is $rc, 1, '... but if it is asked for';
($rc, $out) = own('explore pair:leaks');
ok $rc == 1 && $out =~ /^leak \S* +at most 0.*failures up to 1, signals up to 0$/ms,
	'explore: the same' or diag $out;
($rc, $out) = own('explore pair:leaks --fail=0');
is $rc, 0, '... and without it';
($rc) = own('run killed:returns');
is $rc, 1, 'run: a signal';
($rc) = own('run killed:returns --signals=0 --schedules=200');
is $rc, 0, '... and without it';

# --- explore SCENARIO --check: right, and wrong in each way
($rc, $out) = own('explore pair --check');
is $rc, 0, 'pair is as declared';
like $out, qr/^leaks    leak 0; failures up to 1$/m, '... with its failure';
like $out, qr/^unasked  clean to 1 preemption$/m, '... to its bound';
like $out, qr/^fixed    clean, complete, no bound; failures up to 2$/m,
	'... or without one';
($rc, $out) = own('explore wrong --check');
is $rc, 1, 'wrong is not as declared';
like $out, qr/^silent  assert <=\d\n    NOT DECLARED: assert .* preemptions?$/m,
	'... a verdict too many';
like $out, qr/^other   assert 1\n.*\n    DECLARED: deadlock at 1, NOT SEEN/m,
	'... one that is not there';
like $out, qr/^number  assert 1\n    NOT DECLARED: assert .* with 1 preemption$/m,
	'... another number';
like $out, qr/^early   clean to 0 preemptions\n    DECLARED: assert at 0, NOT/m,
	'... one that takes more preemptions';
like $out, qr/^right   assert 1\n\n/m, '... and one that is right';
is join(' ', map { result($out)->{$_} } qw(complete expected differ)),
	'yes no 4', '... counted';
like $out, qr/^answer 1, NOT CONFIRMED: It is lost\./m, '... so no answer';
like $out, qr/^answer 2: With one preemption\./m, '... but to another question';
($rc, $out) = own('explore wrong:early --check --preemptions=1');
ok $rc == 1 && $out =~ /EXPECTED at 0$/m,
	'... also where it is seen later than declared' or diag $out;
($rc, $out) = own('explore killed_before --check --max-schedules=1');
ok $rc == 3 && result($out)->{complete} eq 'no' && $out =~ /NOT FINISHED/ &&
	$out =~ /^answer 1, NOT CONFIRMED: /m,
	'a search that was cut short is no answer' or diag "$rc: $out";
chdir '/';
done_testing;
