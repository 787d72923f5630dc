import { IsInt, IsNumber, IsOptional, IsString, Matches, Min } from 'class-validator';
import { Type } from 'class-transformer';

export class CreateBookDto {
  @IsString()
  @Matches(/\S/)
  title: string;

  @IsString()
  @Matches(/\S/)
  author: string;

  @IsString()
  @Matches(/\S/)
  isbn: string;

  @IsInt()
  year: number;

  @IsNumber()
  price: number;

  @IsOptional()
  @IsInt()
  @Min(0)
  stock?: number;
}

export class PageDto {
  @Type(() => Number)
  @IsInt()
  page = 1;

  @Type(() => Number)
  @IsInt()
  limit = 20;
}
