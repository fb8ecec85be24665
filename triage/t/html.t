#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# show --format=html: one page that is well formed, needs nothing from outside,
# and has the rows, tasks and locks that the JSON of the same run has.  What it
# looks like is pinned by golden files (UPDATE=1 writes them anew).
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use JSON::PP;
use Test::More;

my $golden = "$FindBin::Bin/../golden";
my $regress = 'corpus/regress';
my ($rc, $out, $err);

sub page {
	my ($file, @more) = @_;

	($rc, $out, $err) = heddle('show', '--format=html', @more, $file);
	return $out;
}

# --- golden: a deadlock, RCU with three lanes, handlers, a lock-order report
for my $name (qw(abba-deadlock abba-circular uaf-rcu
		 lockdep-irq-chain.irq-inversion-inner-spin)) {
	my $html = page("$golden/$name.sched");

	$html =~ s/(<code>heddle replay )\S*\//$1/;
	$html =~ s/(model build )[0-9a-f]{16}/$1-/; # changes with any model
	spew("$golden/$name.html", $html) if $ENV{UPDATE};
	is $html, slurp("$golden/$name.html"), "$name as html";
}

# --- form
my %void = map { $_ => 1 } qw(meta br);

# The first thing that is wrong with the tags, or ''.
sub misnested {
	my ($html) = @_;
	my @open;

	$html =~ s/<style>.*?<\/style>//s;
	$html =~ s/\A<!DOCTYPE html>\n// or return 'no doctype';
	while ($html =~ /([^<]*)(?:<(\/?)([a-z][a-z0-9]*)((?:\s[\w:-]+="[^"<>]*")*)(\/?)>)?/g) {
		my ($text, $end, $tag, $self) = ($1, $2, $3, $5);

		return "stray > in: $text" if $text =~ />/;
		return "bare & in: $text" if $text =~ /&(?!(?:amp|lt|gt|quot|#39);)/;
		last unless defined $tag;
		next if $void{$tag} || $self;
		push @open, $tag and next unless $end;
		my $was = pop @open // 'nothing';
		return "</$tag> ends <$was>" if $was ne $tag;
	}
	return 'stopped at: ' . substr($html, pos($html), 40)
		if defined pos($html) && pos($html) < length $html;
	return "open: @open" if @open;
	return '';
}

is misnested("<!DOCTYPE html>\n<p>a<b>c</p></b>\n"), '</p> ends <b>',
	'the check of tags notices';
like misnested("<!DOCTYPE html>\n<p>a & b</p>\n"), qr/bare &/, '... and text';
like misnested("<!DOCTYPE html>\n<p class=x>b</p>\n"), qr/stopped/,
	'... and attributes';

# What would be fetched or run.
sub foreign {
	my ($html) = @_;
	return join ' ', $html =~ /(<script|<link|<img|\bsrc=|\burl\(|\@import|\bon\w+="|href="(?!#)[^"]*")/g;
}

# --- the same events as in the JSON
sub rows {
	my ($html) = @_;
	return map { [/data-step="(\d+)" data-task="([^"]*)"/, /^ fn/ ? 1 : 0] }
		$html =~ /<a class="row([^>]*)>/g;
}

sub check_rows {
	my ($html, $j, $name) = @_;
	my %task = map { ($_->{step} => $_->{task}) } @{ $j->{events} };
	my %shown = map { ($_->{step} => 1) } grep { $_->{shown} } @{ $j->{events} };
	my @rows = rows($html);
	my @ops = grep { !$_->[2] } @rows;
	my @bad = grep { $task{$_->[0]} ne $_->[1] || !$shown{$_->[0]} } @rows;
	my @late = grep { $rows[$_ - 1][0] > $rows[$_][0] } 1 .. $#rows;
	my @table = $html =~ /<tr id="r\d+"(?: class="guilty")?><td class="n">(\d+)</g;

	is scalar(@bad), 0, "$name: rows are shown events of their tasks";
	is scalar(@late), 0, '... in the order in which they happened';
	is "@table", join(' ', map { $_->[0] } @ops), '... and all in the table';
	my %id = map { $_ => 1 } $html =~ /id="(r\d+)"/g;
	is_deeply [grep { !$id{$_} } $html =~ /<a class="row(?! fn)[^>]*href="#(r\d+)"/g],
		[], '... to which they lead';
	return \@rows;
}

sub check_lanes {
	my ($html, $rows, $name) = @_;
	my %has = map { ($_->[1] => 1) } @$rows;
	my @bands = $html =~ /(<svg.*?<\/svg>)/gs;
	my ($first) = map { join ' ', /class="name" data-task="([^"]*)"/g } $bands[0];

	is_deeply [sort split / /, $first], [sort keys %has], "$name: a lane for each task"
		if %has;
	is_deeply [grep { join(' ', /class="name" data-task="([^"]*)"/g) ne $first } @bands],
		[], '... the same in each band';
	is_deeply [map { overlaps($_) } @bands], [], '... and no text leaves its lane';
}

# Texts of rows and names that end behind their own lane, or the picture.
sub overlaps {
	my ($svg) = @_;
	my ($width) = $svg =~ /viewBox="0 0 (\d+)/;
	my @x = $svg =~ /class="lane" d="M(\d+)/g;
	my @bad;

	$svg =~ s/<g class="verdict">.*?<\/g>//s;
	while ($svg =~ /<text x="(\d+)" y="\d+" textLength="(\d+)">([^<]*)/g) {
		my ($end) = grep { $_ > $1 + 4 } @x;
		push @bad, $3 if $1 + $2 > ($end // $width) || $1 + $2 > $width;
	}
	return @bad;
}

my @files = (glob("$golden/*.sched"),
	map { glob "$regress/$_/min.sched" } qw(
	fault_vs_munmap.v6/held-at-user* fault_vs_munmap.v6/use-after-free*vm_mm
	three_faults_vs_munmap.v10-limit-plus-1/* timer_vs_holder.softirq/*
	vfio_fault_vs_disable.5.14-read-copies/circular*
	uffd_move_vs_mprotect.lokesh-posted-munmap/use-after-free*vm_flags));
for my $file (@files) {
	my $html = page($file);
	my (undef, $json) = heddle('show', '--format=json', $file);
	my $j = decode_json($json);
	(my $name = $file) =~ s{.*?/([^/]+(?:/[^/]+)?)(?:/min)?\.sched$}{$1};

	is misnested($html), '', "$name: tags nest";
	is foreign($html), '', '... and nothing comes from elsewhere';
	my ($h1) = $html =~ /<h1>(.*)<\/h1>/;
	$h1 =~ s/&gt;/>/g, $h1 =~ s/&lt;/</g, $h1 =~ s/&#39;/'/g, $h1 =~ s/&amp;/&/g;
	is $h1, $j->{title}, '... title';
	is scalar(() = $html =~ /<g class="verdict">/g), 1, '... one verdict';
	my $rows = check_rows($html, $j, $name);
	ok $html =~ /<a class="row guilty"/, '... and the row that it is about'
		if @$rows && $j->{verdict}{task} ne 'end check';
	check_lanes($html, $rows, $name);
	my $pre = () = $html =~ /<g class="arrow pre">/g;
	cmp_ok $pre, '<=', $j->{preemptions}, '... no more arrows than preemptions';
}

# --- locks over time: a is held, then waited for by the other task
my $html = page("$golden/abba-deadlock.sched");
my @bars = $html =~ /<g class="bar"><title>(.*?)<\/title>(.*?)<\/g>/gs;
my %bar = @bars;
my ($held) = grep { /^a \(W\), task first\ntaken: .*abba\.c:28/ } keys %bar;
my ($waits) = grep { /^a \(W\), task second\nasked for: .*abba\.c:41/ } keys %bar;
ok $held && $bar{$held} !~ /dasharray/, 'a lock that is held';
ok $waits && $bar{$waits} =~ /dasharray/, '... and one that is waited for';
my ($title) = $html =~ /<title>(step 12,.*?)<\/title>/s;
is $title, join("\n", 'step 12, op 4 of second', 'mutex_lock a waits', 'locks held: b (W)',
	'in second  src/scenario/abba.c:41', 'earlier conflicts with step 5 of first'),
	'what the pointer shows';

sub arrows {
	my ($html, $class) = @_;
	return $html =~ /<g class="arrow$class"><title>(.*?)<\/title>/g;
}
$html = page("$golden/uaf-rcu.sched");
is_deeply [arrows($html, ' pre')], ['reader is preempted; updater runs',
	'reader is preempted; rcu runs'], 'preemptions are arrows';
is_deeply [arrows($html, '')], ['updater waits, yields or has ended; reader runs',
	'rcu waits, yields or has ended; reader runs'], '... other switches, too';
$html = page("$golden/lockdep-irq-chain.irq-inversion-inner-spin.sched");
is((arrows($html, ''))[1], 'irq comes on the CPU of first', '... and interrupts');
ok $html =~ />irq \(irq on first\)</, 'handlers say whom they interrupt';

my ($race) = glob "$regress/fault_vs_munmap.v6/data-race*vm_lock_seq/min.sched";
is_deeply [page($race) =~ /<a class="row guilty"[^>]* data-task="(\w+)"/g], ['munmap', 'fault'],
	'both accesses of a race are marked';
is_deeply [page("$golden/uaf-rcu.sched") =~ /<a class="row guilty"[^>]* data-task="(\w+)"/g],
	['rcu', 'reader'], '... and the free of what is used';

# --- what users and models call things cannot break out
my $odd = "$dir/a<b>&\"c'd.sched";
spew($odd, slurp("$golden/abba-deadlock.sched"));
$html = page($odd);
like $html, qr/replay \S*a&lt;b&gt;&amp;&quot;c&#39;d\.sched<\/code>/, 'names are escaped';
is misnested($html), '', '... and tags nest';

# --- a run without a verdict
spew("$dir/clean.sched", join "\n", 'heddle schedule 1', 'scenario fault_vs_munmap:v10',
	'model 0000000000000000', 'base run-to-block seed 0', 'hash -', '');
$html = page("$dir/clean.sched");
is misnested($html), '', 'a run without a verdict';
ok $html =~ /<h1>no verdict<\/h1>/ && $html !~ /guilty"|class="verdict"/, '... and nothing guilty';

# --- a long run: bands; all of it
my ($long) = grep { /use-after-free-vm_area_struct.vm_flags/ } @files;
cmp_ok scalar(() = page($long) =~ /<svg class="band"/g), '>', 2, 'long pictures have bands';
my @all = rows(page($long, '--all'));
cmp_ok scalar(@all), '>', 200, '--all leaves nothing out';

# --- a browser reads it as it is meant
SKIP: {
	my ($chromium) = grep { -x } map { "$_/chromium" } split /:/, $ENV{PATH};
	skip 'chromium is not installed', 3 unless $chromium;
	spew("$dir/page.html", page($long));
	($rc, $out, $err) = run($chromium, qw(--headless --no-sandbox --disable-gpu),
				"--user-data-dir=$dir/chromium", '--dump-dom', "file://$dir/page.html");
	skip "chromium does not run here: $rc", 3 if $rc ne '0';
	my $page = slurp("$dir/page.html");
	is scalar(my @dom = rows($out)), scalar(rows($page)), 'a browser sees each row';
	is scalar(() = $out =~ /<svg /g), scalar(() = $page =~ /<svg /g), '... each band';
	is scalar(() = $out =~ /<\/rect>/g), scalar(() = $page =~ /<rect /g),
		'... and what is in them as SVG';
}

done_testing;
