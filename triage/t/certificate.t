#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Does a certificate say what was searched, and does a search against it notice if
# anything else was?  (triage/certificate.c)
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $file = "$dir/a.certificate";
my ($rc, $out, $err) = heddle('explore', 'fault_vs_munmap:v10',
	"--certificate=$file");
my $r = result($out);
my $text = slurp($file);
is $rc, 0, 'a clean search';
like $text, qr/^heddle certificate 1\nscenario fault_vs_munmap:v10\nmodel [0-9a-f]{16}\nbound none\n/,
	'it says what was searched';
like $text, qr/^classes $r->{schedules}\ncut $r->{cut}\n/m, '... what that took';
like $text, qr/^complete yes\nrelative sequential consistency, .*\nnot-modelled irq/m,
	'... and what it is relative to';
($rc, $out) = heddle('explore', "--against=$file");
is "$rc " . result($out)->{schedules}, "0 $r->{schedules}",
	'another search agrees, with what the certificate alone says';
like $out, qr/^the certificate holds/m, '... and says so';

# --- whatever is changed in it is seen
for my $change ([ qr/^runs \K\d+/m, 1 ], [ qr/^hashes \K\w/m, 'x' ],
	[ qr/^complete \Kyes/m, 'no' ], [ qr/^goals \K\d/m, 0 ],
	[ qr/^model \K\w/m, 'x' ], [ qr/^cut \d+\n\K/m, "verdict race\n" ],
	[ qr/, failures up to \K0/, 1 ]) {
	my ($what, $instead) = @$change;
	(my $other = $text) =~ s/$what/$instead/ or die $what;
	spew("$dir/other", $other);
	($rc, $out) = heddle('explore', "--against=$dir/other");
	ok $rc == 1 && $out =~ /^certificate: .*\n        now: /m, "changed: $what";
}

# --- bounds, failures, signals and verdicts are part of it
($rc, $out) = heddle('explore', 'fault_vs_munmap:v7', '--preemptions=2',
	'--fail=1', "--certificate=$file");
is $rc, 1, 'a search that finds something';
$text = slurp($file);
like $text, qr/^bound 2\nfailures 1\n(.*\n)*verdict data-race read write .*\ncomplete yes$/m,
	'its certificate names it, and its bound';
unlike $text, qr/^classes/m, '... and no classes, for with a bound runs are not classes';
($rc, $out) = heddle('explore', "--against=$file");
is $rc, 0, '... and holds';
($rc, $out) = heddle('explore', 'fault_vs_munmap:v7', '--max-schedules=10',
	"--certificate=$file");
like slurp($file), qr/^complete no$/m, 'what was broken off is called incomplete';

# --- what is none
for my $bad ([ 'truncated', substr($text, 0, 200) ], [ 'empty', '' ],
	[ 'a line too few', $text =~ s/^relative.*\n//mr ],
	[ 'no bound', $text =~ s/^bound 2/bound two/mr ],
	[ 'something else', "heddle schedule 1\n" ], [ 'NUL', "a\0$text" ],
	[ 'too long', $text . "verdict x\n" x 10000 ]) {
	spew("$dir/bad", $bad->[1]);
	($rc, $out, $err) = heddle('explore', "--against=$dir/bad");
	is "$rc $err", "2 heddle explore: $dir/bad: not a certificate, or not all of it\n",
		"refused: $bad->[0]";
}
spew("$dir/bad", $text =~ s/^scenario .*/scenario nothing:x/mr);
($rc, $out, $err) = heddle('explore', "--against=$dir/bad");
ok $rc == 2 && $err =~ /^heddle.*nothing/, 'refused: a scenario that is not there';
($rc, $out, $err) = heddle('explore', 'abba', "--against=$file");
like "$rc $err", qr/^2 .*takes no SCENARIO/, 'refused: a second scenario';
($rc, $out, $err) = heddle('explore', "--against=$dir/none");
like "$rc $err", qr/^2 heddle explore: cannot read .*none: No such file/, 'no such file';
($rc, $out, $err) = heddle('explore', 'abba:fixed', "--certificate=$dir/no/where");
like "$rc $err", qr/^2 heddle explore: cannot write .*where: No such file/,
	'it cannot be written: said, and no success';
SKIP: {
	skip 'no /dev/full', 1 unless -c '/dev/full';
	symlink '/dev/full', "$dir/full";
	($rc, $out, $err) = heddle('explore', 'abba:fixed', "--certificate=$dir/full");
	ok $rc == 0 && -f "$dir/full", 'a file takes the place of what was there';
}
done_testing;
