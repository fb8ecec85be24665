# SPDX-License-Identifier: MIT
# What the verbs' tests share: run the built command, look at what it said.
package Heddle;
use strict;
use warnings;
use Exporter 'import';
use File::Temp 'tempdir';

our @EXPORT = qw(heddle run result slurp spew $dir);
our $dir = tempdir(CLEANUP => 1);
my $heddle = $ENV{HEDDLE} // 'build/heddle';

# Run a program (no shell): exit status, standard output, standard error.
sub run {
	my @words = @_;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDIN, '<', '/dev/null' or die;
		open STDOUT, '>', "$dir/.out" or die;
		open STDERR, '>', "$dir/.err" or die;
		exec @words or die "$words[0]: $!";
	}
	waitpid $pid, 0;
	my $status = $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
	return ($status, slurp("$dir/.out"), slurp("$dir/.err"));
}

# The built command.
sub heddle {
	return run($heddle, @_);
}

# The key=value pairs of the last line.
sub result {
	my ($out) = @_;
	my ($last) = $out =~ /([^\n]*)\n\z/;
	$last //= '';
	return {} unless $last =~ s/^result: //;
	return { map { split /=/, $_, 2 } split / /, $last };
}

sub slurp {
	my ($path) = @_;
	open my $f, '<', $path or return '';
	binmode $f;
	local $/;
	return scalar(<$f>) // '';
}

sub spew {
	my ($path, $text) = @_;
	open my $f, '>', $path or die "$path: $!";
	binmode $f;
	print $f $text;
	close $f or die "$path: $!";
	return $path;
}

1;
