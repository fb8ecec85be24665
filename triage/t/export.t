#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# heddle export --c: the program compiles without a warning and prints the rows
# of the picture in their order, however its threads are scheduled; what waits
# lets the others go on.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $golden = "$FindBin::Bin/../golden";
my ($rc, $out, $err);

# "  1  reader: rcu_read_lock", as the HTML table of the same picture has it
sub picture {
	my ($file) = @_;
	my (undef, $html) = heddle('show', '--format=html', $file);
	my $n = 0;
	my @rows;

	while ($html =~ /<td class="t">(.*?)<\/td><td class="m">(.*?)<\/td>/g) {
		my ($task, $op) = ($1, $2);

		$op =~ s/ \((?!\d+ times\))(?!kfree_rcu\)).*//; # remarks
		push @rows, sprintf "%3d  %s: %s", ++$n, $task, $op;
	}
	s/&gt;/>/g for @rows;
	return join '', map { "$_\n" } @rows;
}

sub export {
	my ($file) = @_;

	($rc, $out, $err) = heddle('export', $file, '--c');
	is "$rc$err", '0', "export $file";
	spew("$dir/x.c", $out);
	($rc, undef, $err) = run(qw(cc -pthread -Wall -Wextra -Werror -o), "$dir/x", "$dir/x.c");
	is "$rc$err", '0', '... compiles';
	return $out;
}

for my $file (map { "$golden/$_.sched" } qw(abba-deadlock uaf-rcu lost-wakeup
		lockdep-irq-chain.irq-inversion-inner-spin), ) {
	export($file);
	my $want = picture($file);
	my %got;

	for (1 .. 10) {
		(undef, $out) = run(qw(timeout 10), "$dir/x");
		$got{$out}++;
	}
	is_deeply \%got, { $want => 10 }, '... and runs as the picture says';
}

# --- the steps, and what stands beside them
my $c = export("$golden/abba-deadlock.sched");
my ($first) = $c =~ /^static void \*t1_first\(void \*unused\)\n\{\n(.*?)^\}/ms;
is $first, <<'END', 'a task is a thread';
	step(1);
	/* mutex_lock a
	 *   first, src/scenario/abba.c:28 */
	step(4);
	pass_on(); /* it waits */
	/* mutex_lock b waits
	 *   first, src/scenario/abba.c:29 */
	/* <== deadlock: a, b */
	pass_on();
	return unused;
END

# With the ops put in it does deadlock, after all steps.
$c =~ s/^(\t\/\* mutex_lock ([ab])( waits)?\n)/\tpthread_mutex_lock(&mutex_$2);\n$1/gm;
$c =~ s/^static int turn/static pthread_mutex_t mutex_a = PTHREAD_MUTEX_INITIALIZER,
	mutex_b = PTHREAD_MUTEX_INITIALIZER;\nstatic int turn/m;
$c =~ s/(\n\tpthread_t thread)/\n\talarm(1);\n\tsetvbuf(stdout, 0, _IONBF, 0);$1/;
spew("$dir/y.c", "#include <unistd.h>\n$c");
($rc, undef, $err) = run(qw(cc -pthread -Wall -Werror -o), "$dir/y", "$dir/y.c");
is "$rc$err", '0', 'the skeleton with its locks';
($rc, $out) = run(qw(timeout 10), "$dir/y");
is $rc, 'signal 14', '... hangs';
is $out, picture("$golden/abba-deadlock.sched"), '... at the last step';

# --- names that are no C
my $odd = "$dir/*" . "/ x.sched";
mkdir "$dir/*";
spew($odd, slurp("$golden/abba-deadlock.sched"));
export($odd);

# --- wrong usage, and a verdict that is not there
for (['export'], ['export', '--c'], ['export', "$golden/uaf-rcu.sched"],
     ['export', '--litmus', "$golden/uaf-rcu.sched"], ['export', '--c', "$dir/nothing"],
     ['export', '--c', '--want=sorrow', "$golden/uaf-rcu.sched"]) {
	($rc, $out, $err) = heddle(@$_);
	ok $rc eq '2' && $err =~ /\A[^\n]+\n\z/ && $out eq '', "wrong: @$_" or diag "$rc: $err";
}
($rc, $out, $err) = heddle('export', '--c', '--want=double-free', "$golden/uaf-rcu.sched");
is $rc, 1, 'another verdict';
like $err, qr/does not show double-free/, '... which it says';

done_testing;
