#!/usr/bin/perl
# The house rules as a test: a rule that is not here is a wish.
use strict;
use warnings;

my @files = grep { -f } split /\n/,
    `git ls-files --cached --others --exclude-standard`;
my @c = grep { /\.[ch]$/ && !/_test\.c$/ } @files;
my @all_c = grep { /\.[chS]$/ } @files;
my $n = 0;

sub report {
	my ($name, @bad) = @_;
	$n++;
	print @bad ? "not ok $n - $name\n" : "ok $n - $name\n";
	print "# $_\n" for @bad;
}

sub lines {
	my ($f) = @_;
	open my $fh, '<', $f or die "$f: $!";
	return <$fh>;
}

# --- the top level ---------------------------------------------------------
my %top = map { $_ => 1 } qw(fuzz src corpus include triage Makefile README.md
    ARCHITECTURE.md CONTRIBUTING.md LICENSE .ci .clusterfuzzlite debian);
my %seen;
$seen{(split m{/}, $_)[0]} = 1 for @files;
report('top level holds only what design allows',
	grep { !$top{$_} && !/^\./ } sort keys %seen);

# --- direction of includes ---------------------------------------------------
# folder => folders of ours that its "..." includes may name
my %may = (
	'include/heddle' => [],
	'src/base'       => ['src/base'],
	'src/engine'     => ['src/engine', 'src/base'],
	'src/oracle'     => ['src/oracle', 'src/engine', 'src/base'],
	'src/kernel'     => ['src/kernel', 'src/engine', 'src/base'],
	'src/posix'      => ['src/posix', 'src/engine', 'src/base'],
	'src/mm'         => ['src/mm', 'src/kernel', 'src/engine', 'src/base'],
	'src/scenario'   => ['src/scenario', 'src/mm'],
	'src'            => ['src', 'src/engine', 'src/oracle', 'src/mm',
	                     'src/kernel', 'src/posix', 'src/base'],
	'fuzz'           => ['fuzz', 'src', 'src/engine', 'src/base'],
	'triage'         => ['triage', 'src', 'src/engine', 'src/oracle',
	                     'src/base'],
);

sub folder { my ($p) = @_; $p =~ s{/[^/]*$}{}; return $p }

sub resolve {
	my ($from, $inc) = @_;
	my @p = split m{/}, folder($from);
	for (split m{/}, $inc) {
		if ($_ eq '..') { pop @p } else { push @p, $_ }
	}
	return join '/', @p;
}

my @bad;
for my $f (@c) {
	my $dir = folder($f);
	next unless $may{$dir};
	next if $f eq 'src/base/twin.c'; # the main() of tests: drives the engine
	for (lines($f)) {
		next unless /^#include "([^"]+)"/;
		my $to = folder(resolve($f, $1));
		push @bad, "$f includes $1" unless grep { $_ eq $to } @{$may{$dir}};
	}
}
report('includes point in one direction', @bad);

@bad = ();
for my $f (grep { m{^src/(engine|oracle|base)/} } @c) {
	push @bad, map { "$f: $_" } grep { m{heddle/mm\.h} } lines($f);
}
report('engine and oracles know no model header', @bad);

# --- sizes -------------------------------------------------------------------
@bad = ();
for my $f (@all_c) {
	my @l = lines($f);
	push @bad, "$f: " . @l . " lines" if @l > 600;
}
report('no file over 600 lines', @bad);

@bad = ();
for my $f (grep { /\.c$/ } @all_c) {
	my ($start, $name, $i) = (0, '', 0);
	for (lines($f)) {
		$i++;
		$name = $_ if /^\w.*\(/;
		$start = $i if /^\{/;
		if (/^\}/ && $start) {
			push @bad, "$f:$start: " . ($i - $start) . " lines"
			    if $i - $start > 70;
			$start = 0;
		}
	}
}
report('no function over 70 lines', @bad);

# --- banned calls --------------------------------------------------------------
my %banned = (
	'engine, oracles, kernel, mm: no time, no randomness, no environment' =>
	    [qr{^src/(engine|oracle|kernel|mm|scenario)/},
	     qr/\b(time|clock|clock_gettime|gettimeofday|rand|random|srand|getenv)\s*\(/],
	'engine: memory comes from the world or hd_map_memory()' =>
	    [qr{^src/(engine|oracle|kernel|mm|scenario)/},
	     qr/\b(malloc|calloc|realloc|free|strdup)\s*\(/],
	'printf only in triage, fuzz and reports' =>
	    [qr{^src/(engine|oracle|kernel|mm|scenario|run)},
	     qr/\b(printf|puts|putchar|fputs)\s*\(/],
	'no unbounded string functions' =>
	    [qr{\.c$}, qr/\b(sprintf|strcpy|strcat|gets)\s*\(/],
);
for my $rule (sort keys %banned) {
	my ($where, $what) = @{$banned{$rule}};
	@bad = ();
	for my $f (grep { $_ =~ $where } @c) {
		my $i = 0;
		for (lines($f)) {
			$i++;
			next if m{^\s*(\*|/\*)} || /^#define/;
			push @bad, "$f:$i: $1()" if $_ =~ $what;
		}
	}
	report($rule, @bad);
}

# --- form --------------------------------------------------------------------
@bad = ();
for my $f (@all_c) {
	my @l = lines($f);
	push @bad, "$f: no SPDX line" unless $l[0] =~ /SPDX-License-Identifier: MIT/;
	push @bad, "$f: no comment that says what the file is for"
	    unless $l[1] && $l[1] =~ m{^/\*};
}
report('every source begins with its licence and its question', @bad);

@bad = ();
for my $f (@all_c) {
	my $i = 0;
	for (lines($f)) {
		$i++;
		push @bad, "$f:$i: trailing space" if /[ \t]+$/;
		(my $e = $_) =~ s/\t/        /g;
		push @bad, "$f:$i: over 100 columns" if length($e) > 101;
	}
}
report('no trailing space, no line over 100 columns', @bad);

# --- tests beside sources --------------------------------------------------------
# x.c has x_test.c beside it, or a test in its folder names x.c in its head.  A
# test of the engine that must be instrumented stands in src/kernel and names
# ../engine/x.c.  twin.c is itself the main() of tests.
@bad = ();
for my $f (grep { m{^src/(base|engine|oracle|kernel|mm)/.*\.c$} } @c) {
	(my $t = $f) =~ s/\.c$/_test.c/;
	next if -e $t || $f eq 'src/base/twin.c';
	my ($base) = $f =~ m{([^/]+)$};
	my $dir = folder($f);
	my $named = 0;
	for my $other (glob("$dir/*_test.c")) {
		my $head = join '', grep { defined } (lines($other))[0 .. 24];
		$named = 1 if $head =~ /\b\Q$base\E\b/;
	}
	(my $up = $f) =~ s{^src/}{../};
	for my $other (glob('src/kernel/*_test.c')) {
		my $head = join '', grep { defined } (lines($other))[0 .. 24];
		$named = 1 if $head =~ m{\Q$up\E\b};
	}
	push @bad, "$f: no test beside it names it" unless $named;
}
report('every source has a test beside it', @bad);

@bad = ();
for my $f (grep { m{^src/scenario/.*\.c$} } @files) {
	my $head = join '', (lines($f))[0 .. 30];
	push @bad, "$f: the head does not say Source"
	    unless $head =~ /Source:|Workload|planted|yardstick/;
}
report('every scenario names its source', @bad);

print "1..$n\n";
