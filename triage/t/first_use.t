#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Reports on what a first user pastes: each place is that of the fact it stands
# for, and static data has its name.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename 'dirname';
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $cc = dirname(abs_path($ENV{HEDDLE} // 'build/heddle')) . '/heddle-cc';
plan skip_all => "$cc is not built" unless -x $cc;
spew("$dir/first_use.c", slurp("$FindBin::Bin/first_use.c"));
chdir $dir or die;
is system("$cc first_use.c -o first_use 2>&1"), 0, 'builds';

sub shown { return scalar `./first_use show $_[0]` }

sub line_of {
	my ($what) = @_;
	my @line = split /\n/, slurp('first_use.c');
	return (grep { index($line[$_ - 1], $what) >= 0 } 1 .. @line)[0];
}

# --- the acquire that is cited for a usage is one that has it
my $out = `./first_use explore irq --out=irq`;
is result($out)->{signatures}, 'inconsistent:dev_lock,deadlock:dev_lock',
	'a lock that is not always taken with interrupts off';
my $on = line_of("\tspin_lock(&dev_lock)");
$out = shown('irq/inconsistent-dev_lock.sched');
like $out, qr/\{HARDIRQ-ON-W\}: taken with hardirqs on\n.*first_use\.c:$on$/m,
	'... with hardirqs on: not the irqsave';
like $out, qr/\{IN-HARDIRQ-W\}: taken in a hardirq\n +dev_lock \(W\) in isr /m,
	'... and in the handler';

# --- two variables are two races
$out = `./first_use explore race --out=race`;
my $signatures = result($out)->{signatures};
like $signatures, qr/\bdata-race:read:write:$_\b/, "a race on $_"
	for qw(cfg errors);
my ($file) = glob 'race/data-race-read-write-errors*.sched';
$out = shown($file);
like $out, qr/^read to errors of 4 bytes by task /m, '... named in the report';
like $out, qr/ ASSERT_EXCLUSIVE_WRITER users$/m,
	'a claim is a row of its own, and says about what';
$out = `./first_use replay --twice --check race/*.sched`;
is result($out)->{differences}, 0, '... replayed';

# --- a sleeper says on what
$out = `./first_use explore wait --out=wait`;
($file) = glob 'wait/deadlock-*.sched';
like shown($file), qr/^  waiter sleeps on probed in waiter /m,
	'a completion has its name';

# --- who waits for readers takes nothing, and sleeps
`./first_use explore sync --out=sync`;
$out = shown('sync/recursive-srcu.sched');
like $out, qr/^ synchronize_srcu srcu\n <== possible recursive locking: srcu$/m,
	'lock_sync is a row';
like $out, qr/^reader waits \(lock_sync\) for who holds\n    srcu \(W\) in /m,
	'... and says what it is';
like $out, qr/^it can deadlock here/m, '... and its deadlock is found';

`./first_use explore nest --out=nest`;
like shown('nest/bad-subclass-cfg_mutex.sched'),
	qr/^subclass 9; there are 8, from 0$/m, 'which subclass';

# --- sizeof(*f) is a type, with fields
$out = `./first_use explore put --out=put`;
is result($out)->{signatures}, 'freed:lock,use-after-free:*f.lock',
	'an object of sizeof(*f)';
($file) = glob 'put/freed-*.sched';
like shown($file), qr/ kfree +\*f#1$/m, '... has a name';

done_testing;
